//! What a table holds, as one number: the same on every engine, in whatever order the rows come.
//!
//! Each row is written out as the length and the bytes of the table's name, and for each column, in
//! the order of the entity, a byte for the kind of its value (0 NULL, 1 text, 2 bytes, 3 integer,
//! 4 boolean, 5 id) and the value: text and bytes with their length before them, integers as eight
//! bytes, booleans as one, ids as sixteen. Lengths and integers are big-endian. The SHA-256 of that
//! is the number of the row, and the sum of these numbers modulo 2^256 the number of the table. It
//! shows any slip of a copy; it does not stand against somebody who makes up rows to deceive it.

use std::fmt;

use sea_orm::Value;
use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// The number of a table, or of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TableDigest([u8; 32]);

impl TableDigest {
    pub(super) fn of_row(table: &str, row: &[Value]) -> Self {
        let mut hash = Sha256::new();
        add_bytes(&mut hash, table.as_bytes());
        for value in row {
            add_value(&mut hash, value);
        }
        Self(hash.finalize().into())
    }

    pub(super) fn plus(self, other: Self) -> Self {
        let mut sum = [0; 32];
        let mut carry = 0;
        for place in (0..32).rev() {
            let digit = u16::from(self.0[place]) + u16::from(other.0[place]) + carry;
            [_, sum[place]] = digit.to_be_bytes();
            carry = digit >> 8;
        }
        Self(sum)
    }
}

impl fmt::Display for TableDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = self.0.iter();
        digits.try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl Serialize for TableDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn add_value(hash: &mut Sha256, value: &Value) {
    match value {
        Value::String(Some(text)) => {
            hash.update([1]);
            add_bytes(hash, text.as_bytes());
        }
        Value::Bytes(Some(bytes)) => {
            hash.update([2]);
            add_bytes(hash, bytes);
        }
        Value::Int(Some(number)) => add_integer(hash, i64::from(*number)),
        Value::BigInt(Some(number)) => add_integer(hash, *number),
        Value::Bool(Some(is_so)) => hash.update([4, u8::from(*is_so)]),
        Value::Uuid(Some(id)) => {
            hash.update([5]);
            hash.update(id.as_bytes());
        }
        // Rows are read as the values above alone, so whatever is left is one that is not there.
        _ => hash.update([0]),
    }
}

fn add_integer(hash: &mut Sha256, number: i64) {
    hash.update([3]);
    hash.update(number.to_be_bytes());
}

fn add_bytes(hash: &mut Sha256, bytes: &[u8]) {
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}

#[cfg(test)]
mod tests {
    //! The sum, and that no two rows are written out alike.

    use super::*;

    fn of(row: &[Value]) -> TableDigest {
        TableDigest::of_row("t", row)
    }

    #[test]
    fn a_sum_carries_over_and_forgets_what_is_beyond_its_size() {
        let (mut one, largest) = ([0; 32], [0xff; 32]);
        one[31] = 1;
        assert_eq!(
            TableDigest(largest).plus(TableDigest(one)),
            TableDigest::default()
        );
        let mut carried = [0; 32];
        carried[30] = 1;
        let mut digit = [0; 32];
        digit[31] = 0xff;
        assert_eq!(
            TableDigest(digit).plus(TableDigest(one)),
            TableDigest(carried)
        );
    }

    #[test]
    fn rows_that_differ_in_kind_length_or_place_differ() {
        let text = |text: &str| Value::from(text);
        let rows = [
            vec![text("ab"), text("c")],
            vec![text("a"), text("bc")],
            vec![text("ab"), Value::from(b"c".to_vec())],
            vec![text("c"), text("ab")],
            vec![text(""), text("")],
            vec![text(""), Value::String(None)],
            vec![Value::String(None), text("")],
            vec![Value::from(0i64), Value::from(false)],
            vec![Value::from(false), Value::from(0i64)],
        ];
        for (place, row) in rows.iter().enumerate() {
            for other in &rows[..place] {
                assert_ne!(of(row), of(other), "{row:?} {other:?}");
            }
        }
    }

    #[test]
    fn a_value_that_moves_to_another_row_changes_the_sum() {
        let row = |id: i64, name: &str| of(&[id.into(), name.into()]);
        let kept = row(1, "ada").plus(row(2, "eve"));
        assert_eq!(
            kept,
            row(2, "eve").plus(row(1, "ada")),
            "the order is nothing"
        );
        assert_ne!(kept, row(1, "eve").plus(row(2, "ada")));
    }

    #[test]
    fn the_form_of_a_row_is_the_one_that_is_documented() {
        let row = [Value::from("é"), Value::from(-1i64), Value::BigInt(None)];
        let bytes = b"\0\0\0\0\0\0\0\x01t\x01\0\0\0\0\0\0\0\x02\xc3\xa9\x03\xff\xff\xff\xff\xff\xff\xff\xff\0";
        let expected: [u8; 32] = Sha256::digest(bytes).into();
        assert_eq!(of(&row), TableDigest(expected));
    }
}
