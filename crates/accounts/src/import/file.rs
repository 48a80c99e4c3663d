//! Files of users: CSV, and JSON as an array, as an object with the array `users`, or as a line for each. They are read
//! as a stream on a thread of their own, so that the memory is the same for any number of rows.

use std::{
    collections::HashMap,
    fs::File,
    io::{BufRead, BufReader, Cursor, Read as _, Seek as _},
    path::{Path, PathBuf},
};

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::Value;
use tokio::sync::mpsc;

use super::{
    ImportError,
    format::Syntax,
    mapping::{Record, text_of},
    unreadable,
};

/// Rows that are handed over at once.
const ROWS_AT_ONCE: usize = 100;
/// Such batches that wait to be taken.
const BATCHES_AHEAD: usize = 2;
/// A first line beyond this many bytes is not one of JSON lines.
const LONGEST_LINE: u64 = 64 << 10;

type Batch = Result<Vec<Record>, ImportError>;

/// The rows of a file, as they come.
pub(super) struct FileRows {
    path: PathBuf,
    syntax: Syntax,
    columns: Vec<String>,
    /// The rows that were read to learn the columns.
    first: Option<Vec<Record>>,
    rest: mpsc::Receiver<Batch>,
}

impl FileRows {
    /// Opens a file, and reads as far as its columns are to be known.
    ///
    /// # Errors
    /// [`ImportError::Unreadable`].
    pub(super) async fn open(path: PathBuf, syntax: Option<Syntax>) -> Result<Self, ImportError> {
        let file = path.clone();
        let opened = tokio::task::spawn_blocking(move || Source::open(file, syntax));
        let source = opened
            .await
            .map_err(|error| unreadable(Path::new("the file"), &error))??;
        let syntax = source.syntax;
        let mut columns = source.header.clone();
        let (sender, mut rest) = mpsc::channel(BATCHES_AHEAD);
        tokio::task::spawn_blocking(move || source.send(sender));
        let first = rest.recv().await.transpose()?;
        for record in first.iter().flatten() {
            let mut new: Vec<_> = record
                .values
                .keys()
                .filter(|key| !columns.contains(key))
                .cloned()
                .collect();
            new.sort();
            columns.extend(new);
        }
        Ok(Self {
            path,
            syntax,
            columns,
            first,
            rest,
        })
    }

    /// Goes back to before the first row.
    ///
    /// # Errors
    /// [`ImportError::Unreadable`].
    pub(super) async fn rewind(&mut self) -> Result<(), ImportError> {
        *self = Self::open(self.path.clone(), Some(self.syntax)).await?;
        Ok(())
    }

    pub(super) fn syntax(&self) -> Syntax {
        self.syntax
    }

    /// The columns of a CSV file; of JSON, the names in its first objects.
    pub(super) fn columns(&self) -> &[String] {
        &self.columns
    }

    pub(super) async fn next(&mut self) -> Result<Option<Vec<Record>>, ImportError> {
        match self.first.take() {
            Some(first) => Ok(Some(first)),
            None => self.rest.recv().await.transpose(),
        }
    }
}

/// An open file, of which is known what it is.
struct Source {
    path: PathBuf,
    reader: BufReader<File>,
    syntax: Syntax,
    /// The columns of a CSV file.
    header: Vec<String>,
    delimiter: u8,
}

impl Source {
    fn open(path: PathBuf, syntax: Option<Syntax>) -> Result<Self, ImportError> {
        let failed = |error: std::io::Error| unreadable(&path, &error);
        let file = File::open(&path).map_err(failed)?;
        if !file.metadata().map_err(failed)?.is_file() {
            let reason = "it is read twice, and must be a file that can be";
            return Err(unreadable(&path, &reason));
        }
        let mut reader = BufReader::new(file);
        let start = reader.fill_buf().map_err(failed)?;
        let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
        let first = start.iter().find(|byte| !byte.is_ascii_whitespace());
        let syntax = syntax.unwrap_or(match first {
            Some(b'[' | b'{') => Syntax::Json,
            _ => Syntax::Csv,
        });
        let delimiter = delimiter(start);
        let mut source = Self {
            path,
            reader,
            syntax,
            header: Vec::new(),
            delimiter,
        };
        if syntax == Syntax::Csv {
            let read = source
                .csv()
                .headers()
                .map(|header| header.iter().map(|name| name.trim().to_owned()).collect());
            source.header = read.map_err(|error| unreadable(&source.path, &error))?;
            let path = source.path.clone();
            source
                .reader
                .rewind()
                .map_err(|error| unreadable(&path, &error))?;
        }
        Ok(source)
    }

    /// Reads to the end, or until nobody wants more.
    fn send(mut self, sender: mpsc::Sender<Batch>) {
        let mut batches = Batches {
            sender,
            batch: Vec::new(),
            number: 0,
        };
        let path = self.path.clone();
        let read = match self.syntax {
            Syntax::Csv => self.send_csv(&mut batches),
            Syntax::Json => self.send_json(&mut batches),
        };
        match read {
            Ok(()) => batches.flush(),
            Err(reason) => {
                batches.flush();
                // Whoever has left does not want to know.
                let _ = batches
                    .sender
                    .blocking_send(Err(unreadable(&path, &reason)));
            }
        }
    }

    fn csv(&mut self) -> csv::Reader<&mut BufReader<File>> {
        csv::ReaderBuilder::new()
            .delimiter(self.delimiter)
            .flexible(true)
            .from_reader(&mut self.reader)
    }

    fn send_csv(&mut self, batches: &mut Batches) -> Result<(), String> {
        let header = self.header.clone();
        for row in self.csv().byte_records() {
            let row = row.map_err(|error| error.to_string())?;
            let mut record = Record::default();
            if row.len() != header.len() {
                let (found, wanted) = (row.len(), header.len());
                record.broken = Some(format!("This row has {found} fields instead of {wanted}."));
            }
            for (column, cell) in header.iter().zip(row.iter()) {
                match std::str::from_utf8(cell) {
                    Ok(text) => drop(record.values.insert(column.clone(), text.to_owned())),
                    Err(_) => record.broken = Some("This row is not UTF-8.".to_owned()),
                }
            }
            if !batches.push(record) {
                break;
            }
        }
        Ok(())
    }

    fn send_json(&mut self, batches: &mut Batches) -> Result<(), String> {
        let mut line = Vec::new();
        let mut start = (&mut self.reader).take(LONGEST_LINE);
        start
            .read_until(b'\n', &mut line)
            .map_err(|error| error.to_string())?;
        let is_line = match serde_json::from_slice(&line) {
            Ok(Value::Object(fields)) => !fields.get("users").is_some_and(Value::is_array),
            _ => false,
        };
        let whole = Cursor::new(line).chain(&mut self.reader);
        let json = serde_json::Deserializer::from_reader(BufReader::new(whole));
        let outcome = if is_line {
            let mut objects = json.into_iter::<Value>();
            objects.try_for_each(|value| batches.push_json(value?))
        } else {
            let mut json = json;
            Users(batches)
                .deserialize(&mut json)
                .and_then(|()| json.end())
        };
        match outcome {
            // Nobody wants more.
            Err(error) if error.is_data() && batches.sender.is_closed() => Ok(()),
            // Not in the library's words, which may repeat a value.
            outcome => outcome.map_err(|error| {
                let (line, column) = (error.line(), error.column());
                format!("it is no JSON of users from line {line}, column {column}, on")
            }),
        }
    }
}

/// What the header of a CSV file has most of: commas, semicolons or tabs.
fn delimiter(start: &[u8]) -> u8 {
    let header = start
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let count = |delimiter: u8| header.iter().filter(|byte| **byte == delimiter).count();
    [b'\t', b';', b',']
        .into_iter()
        .max_by_key(|delimiter| count(*delimiter))
        .unwrap_or(b',')
}

/// Rows on their way out, some at a time.
struct Batches {
    sender: mpsc::Sender<Batch>,
    batch: Vec<Record>,
    number: u64,
}

impl Batches {
    /// Whether more is wanted.
    fn push(&mut self, record: Record) -> bool {
        self.number += 1;
        let number = self.number;
        self.batch.push(Record { number, ..record });
        if self.batch.len() == ROWS_AT_ONCE {
            self.flush();
        }
        !self.sender.is_closed()
    }

    fn push_json(&mut self, value: Value) -> Result<(), serde_json::Error> {
        let record = match value {
            Value::Object(fields) => {
                let texts = fields
                    .into_iter()
                    .filter_map(|(name, value)| Some((name, text_of(&value)?)));
                let values: HashMap<String, String> = texts.collect();
                Record {
                    values,
                    ..Record::default()
                }
            }
            _ => Record {
                broken: Some("This is not a JSON object.".to_owned()),
                ..Record::default()
            },
        };
        match self.push(record) {
            true => Ok(()),
            false => Err(serde_json::Error::custom("nobody wants more")),
        }
    }

    fn flush(&mut self) {
        if !self.batch.is_empty() {
            let _ = self
                .sender
                .blocking_send(Ok(std::mem::take(&mut self.batch)));
        }
    }
}

/// An array of users, or an object that has one under `users`, read one by one.
struct Users<'a>(&'a mut Batches);

impl<'de> DeserializeSeed<'de> for Users<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Users<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("users")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        while let Some(value) = array.next_element::<Value>()? {
            self.0.push_json(value).map_err(A::Error::custom)?;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let mut has_users = false;
        while let Some(name) = object.next_key::<String>()? {
            if name == "users" {
                has_users = true;
                object.next_value_seed(Users(&mut *self.0))?;
            } else {
                object.next_value::<IgnoredAny>()?;
            }
        }
        match has_users {
            true => Ok(()),
            false => Err(A::Error::custom("there are no users")),
        }
    }
}
