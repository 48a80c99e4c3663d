//! Uses within a sliding window, counted by key in bounded memory, and which count is forgotten when that is full.
//! What a key stands for, and how many uses are too many, is left to `throttle.rs`.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// What is counted for; evenly distributed, and not to be guessed by whoever would aim at another's count.
pub(super) type Key = u128;

/// Slices of a window: the finer, the sooner after its window a use is forgotten, and the more memory.
const SLICES: u32 = 15;
/// One more than make up the window, since the newest has only begun.
const RING: usize = SLICES as usize + 1;
/// Keys that share one lock, and among which one is forgotten when there is room for no more.
const SET: usize = 16;

/// Counts by key, for windows of one length.
///
/// A key belongs to one of many small sets. A set that is full forgets the key with the fewest uses, of several the
/// one unused longest. So a flood of other keys does not reset a count that is near its limit: to push that out takes
/// as many others that are as near to theirs, and each of these uses was admitted and paid for. A new key is always
/// let in, since one that is not counted could be tried without end.
pub(super) struct Windows {
    slice_length: Duration,
    sets: Box<[Mutex<Vec<Entry>>]>,
}

struct Entry {
    key: Key,
    window: Window,
}

/// A use that was counted.
pub(super) struct Admitted {
    /// Where it was counted, for [`Windows::settle`].
    pub slice: u64,
    /// Uses that stood before and were settled.
    pub settled: u32,
    /// Uses that stood before and were not settled yet.
    pub in_flight: u32,
    /// Uses left.
    pub remaining: u32,
    /// How long until one more is left.
    pub reset: Duration,
}

/// What becomes of a use that was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It counts until its time is over.
    Stands,
    /// It counts no more.
    Undone,
}

/// A use that was not counted, as the limit was reached.
pub(super) struct Refused {
    /// How long until one is left; never zero.
    pub retry_after: Duration,
    /// Whether this is the first refusal since the last use that was counted.
    pub first: bool,
}

impl Windows {
    /// The memory of one key, in bytes.
    #[cfg(test)]
    pub(super) const BYTES_PER_KEY: usize = size_of::<Entry>();

    /// Counts nothing yet; for about `capacity` keys, whose memory is taken as they come.
    pub(super) fn new(window: Duration, capacity: usize) -> Self {
        Self {
            slice_length: slice_length(window),
            sets: (0..capacity.div_ceil(SET).max(1))
                .map(|_| Mutex::default())
                .collect(),
        }
    }

    /// Counts a use if fewer than `limit` stand. It is in flight until it is settled.
    pub(super) fn charge_up_to(
        &self,
        limit: u32,
        key: Key,
        now: Duration,
    ) -> Result<Admitted, Refused> {
        self.with(key, now, |window| {
            let used = window.used;
            if used >= limit {
                // Enough slices have to leave for `limit - 1` uses to stand.
                let excess = (used - limit).saturating_add(1);
                return Err(Refused {
                    retry_after: window.frees(excess, now, self.slice_length),
                    first: !std::mem::replace(&mut window.refused, true),
                });
            }
            let in_flight = u32::from(window.in_flight);
            let slice = window.add();
            Ok(Admitted {
                slice,
                settled: used.saturating_sub(in_flight),
                in_flight,
                remaining: limit - used - 1,
                reset: window.frees(1, now, self.slice_length),
            })
        })
    }

    /// Counts a use in any case; says in which slice, and how many stood before. It is in flight until it is settled.
    pub(super) fn charge_beyond_limit(&self, key: Key, now: Duration) -> (u64, u32) {
        self.with(key, now, |window| {
            let used = window.used;
            (window.add(), used)
        })
    }

    /// Ends the flight of a use that was counted in `slice`, which is to stand or to be undone, if it is still
    /// remembered.
    pub(super) fn settle(&self, key: Key, slice: u64, fate: Fate) {
        let mut set = self.set_of(key);
        if let Some(entry) = set.iter_mut().find(|entry| entry.key == key) {
            entry.window.in_flight = entry.window.in_flight.saturating_sub(1);
            match fate {
                Fate::Stands => {}
                Fate::Undone => entry.window.remove(slice),
            }
        }
    }

    /// The keys that are remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.sets.iter().map(|set| lock(set).len()).sum()
    }

    /// The bytes that are held, room for keys to come included.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        let entries: usize = self.sets.iter().map(|set| lock(set).capacity()).sum();
        entries * Self::BYTES_PER_KEY + size_of_val(&*self.sets)
    }

    /// Looks at the window of a key as it is now, making one where there is none.
    fn with<T>(&self, key: Key, now: Duration, look: impl FnOnce(&mut Window) -> T) -> T {
        let nanos = now.as_nanos() / self.slice_length.as_nanos();
        let slice = u64::try_from(nanos).unwrap_or(u64::MAX);
        let mut set = self.set_of(key);
        let mut entry = match set.iter().position(|entry| entry.key == key) {
            Some(place) => set.remove(place),
            None => {
                make_room(&mut set, slice);
                Entry {
                    key,
                    window: Window::default(),
                }
            }
        };
        entry.window.move_to(slice);
        let seen = look(&mut entry.window);
        // The last is the one used last, by which `make_room` finds the one unused longest.
        set.push(entry);
        seen
    }

    fn set_of(&self, key: Key) -> MutexGuard<'_, Vec<Entry>> {
        let number = key % self.sets.len() as u128;
        let number = usize::try_from(number).expect("a remainder is below the number of sets");
        lock(&self.sets[number])
    }
}

/// The length of the slices into which a window is cut.
pub(super) fn slice_length(window: Duration) -> Duration {
    let nanos = window.as_nanos().div_ceil(u128::from(SLICES)).max(1);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// Lets a set hold one key more, and takes all its memory at once, or the allocator would keep what it grew out of.
fn make_room(set: &mut Vec<Entry>, slice: u64) {
    if set.len() < SET {
        set.reserve_exact(SET - set.len());
        return;
    }
    for entry in &mut *set {
        entry.window.move_to(slice);
    }
    let fewest = (0..set.len()).min_by_key(|&place| set[place].window.used);
    set.remove(fewest.expect("a full set is not empty"));
}

fn lock(set: &Mutex<Vec<Entry>>) -> MutexGuard<'_, Vec<Entry>> {
    set.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The uses of one key, by slices of a fifteenth of the window.
///
/// A slice is forgotten as a whole once all of it is older than the window. So the limit is never exceeded in any
/// window, wherever it begins, which two weighted buckets cannot promise; a use counts for a fifteenth longer at
/// most; and the size does not depend on the limit, as that of a log of times would.
#[derive(Default)]
struct Window {
    newest: u64,
    uses: [u32; RING],
    /// The sum of `uses`.
    used: u32,
    /// Uses that are not settled yet. More than it holds are taken for settled, and so are those that were forgotten
    /// with their key: who is thought ill of wrongly waits a little longer at the most.
    in_flight: u16,
    /// A use was refused since the last that was counted.
    refused: bool,
}

impl Window {
    /// Threads may come with times in another order than they were read in; the later one holds.
    fn move_to(&mut self, slice: u64) {
        let gone = slice.saturating_sub(self.newest);
        for passed in 1..=gone.min(RING as u64) {
            let forgotten = std::mem::take(&mut self.uses[Self::place(self.newest + passed)]);
            self.used -= forgotten;
        }
        self.newest += gone;
    }

    /// Counts a use and says in which slice.
    fn add(&mut self) -> u64 {
        // All of them together fit, so each of them does.
        if let Some(used) = self.used.checked_add(1) {
            self.used = used;
            self.uses[Self::place(self.newest)] += 1;
        }
        self.in_flight = self.in_flight.saturating_add(1);
        self.refused = false;
        self.newest
    }

    fn remove(&mut self, slice: u64) {
        let age = self.newest.checked_sub(slice);
        let uses = &mut self.uses[Self::place(slice)];
        if age.is_some_and(|age| age < RING as u64) && *uses > 0 {
            *uses -= 1;
            self.used -= 1;
        }
    }

    /// How long until `count` of the uses that stand now are forgotten; the whole window where there are fewer.
    fn frees(&self, count: u32, now: Duration, slice_length: Duration) -> Duration {
        let mut freed = 0_u32;
        let oldest = self.newest.saturating_sub(RING as u64 - 1);
        let last = (oldest..self.newest).find(|slice| {
            freed += self.uses[Self::place(*slice)];
            freed >= count
        });
        let leaves = last.unwrap_or(self.newest) + RING as u64;
        let nanos = u128::from(leaves) * slice_length.as_nanos();
        let at = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        at.saturating_sub(now).max(Duration::from_nanos(1))
    }

    fn place(slice: u64) -> usize {
        usize::try_from(slice % RING as u64).expect("a remainder of 16 is small")
    }
}
