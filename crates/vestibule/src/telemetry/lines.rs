//! An event of the log as one line of JSON: time, level, message, fields, target, and the span in which it happened. Which
//! events are written, and where to, is left to `telemetry.rs`.
//!
//! The formatter of tracing-subscriber writes the same line, but makes a tree of the fields of each span to keep them as
//! JSON, and one of that JSON for each event to write them again. There is a span for each request, and an event.

use std::fmt::{self, Debug, Write};

use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span::Record,
};
use tracing_subscriber::{
    field::RecordFields,
    fmt::{
        FmtContext, FormatFields, FormattedFields,
        format::{FormatEvent, Writer},
        time::{FormatTime as _, SystemTime},
    },
    registry::LookupSpan,
};

/// The form of the fields of a span, as they are kept for its events: each behind a comma.
pub(super) struct JsonFields;

impl<'writer> FormatFields<'writer> for JsonFields {
    fn format_fields<R: RecordFields>(&self, mut line: Writer<'writer>, fields: R) -> fmt::Result {
        let mut visitor = Fields {
            line: &mut line,
            written: Ok(()),
        };
        fields.record(&mut visitor);
        visitor.written
    }

    fn add_fields(
        &self,
        kept: &'writer mut FormattedFields<Self>,
        fields: &Record<'_>,
    ) -> fmt::Result {
        self.format_fields(kept.as_writer(), fields)
    }
}

/// The form.
pub(super) struct JsonLines;

impl<S> FormatEvent<S, JsonFields> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut line: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        line.write_str("{\"timestamp\":\"")?;
        SystemTime.format_time(&mut line)?;
        write!(line, "\",\"level\":\"{}\"", event.metadata().level())?;
        let mut fields = Fields {
            line: &mut line,
            written: Ok(()),
        };
        event.record(&mut fields);
        fields.written?;
        write!(line, ",\"target\":\"{}\"", event.metadata().target())?;
        let span = event.parent().and_then(|id| context.span(id));
        if let Some(span) = span.or_else(|| context.lookup_current()) {
            let extensions = span.extensions();
            let fields = extensions.get::<FormattedFields<JsonFields>>();
            let fields = fields.map_or("", |fields| fields.as_str());
            let fields = fields.strip_prefix(',').unwrap_or_default();
            let comma = if fields.is_empty() { "" } else { "," };
            let name = span.name();
            write!(line, ",\"span\":{{{fields}{comma}\"name\":\"{name}\"}}")?;
        }
        line.write_str("}\n")
    }
}

/// Writes each field of an event behind what stands there.
struct Fields<'line, 'writer> {
    line: &'line mut Writer<'writer>,
    written: fmt::Result,
}

impl Fields<'_, '_> {
    /// Writes the name of a field, and then has its value written.
    fn write(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        let Self { line, written } = self;
        if written.is_ok() {
            *written = [",\"", field.name(), "\":"]
                .into_iter()
                .try_for_each(|part| line.write_str(part))
                .and_then(|()| value(line));
        }
    }
}

impl Visit for Fields<'_, '_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.write(field, |line| {
            write_text(line, |text| write!(text, "{value:?}"))
        });
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.write(field, |line| write_text(line, |text| text.write_str(value)));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.write(field, |line| write!(line, "{value}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.write(field, |line| write!(line, "{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.write(field, |line| write!(line, "{value}"));
    }

    /// JSON has no word for what is no number.
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.write(field, |line| match value.is_finite() {
            true => write!(line, "{value:?}"),
            false => line.write_str("null"),
        });
    }
}

/// Writes a text as a string of JSON (RFC 8259, section 7).
fn write_text(
    line: &mut Writer<'_>,
    text: impl FnOnce(&mut Escaping<'_, '_>) -> fmt::Result,
) -> fmt::Result {
    line.write_char('"')?;
    text(&mut Escaping(line))?;
    line.write_char('"')
}

/// Escapes what passes through it.
struct Escaping<'line, 'writer>(&'line mut Writer<'writer>);

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let is_special = |byte: u8| matches!(byte, b'"' | b'\\' | b'\0'..=0x1f);
        let mut rest = text;
        while let Some(at) = rest.bytes().position(is_special) {
            let (plain, special) = rest.split_at(at);
            self.0.write_str(plain)?;
            // All of them are ASCII, one byte each.
            let (letter, behind) = special.split_at(1);
            match letter {
                "\"" => self.0.write_str("\\\"")?,
                "\\" => self.0.write_str("\\\\")?,
                "\n" => self.0.write_str("\\n")?,
                control => write!(self.0, "\\u{:04x}", control.as_bytes()[0])?,
            }
            rest = behind;
        }
        self.0.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use serde_json::{Value, json};
    use tracing_subscriber::{fmt, prelude::*};

    use super::*;

    /// The lines that `log` writes, in our form and in that of the library.
    fn lines(log: impl Fn()) -> [Vec<Value>; 2] {
        let ours = Arc::new(Mutex::new(Vec::new()));
        let theirs = Arc::new(Mutex::new(Vec::new()));
        let sink = |lines: &Arc<Mutex<Vec<u8>>>| {
            let lines = Arc::clone(lines);
            move || Sink(Arc::clone(&lines))
        };
        let json = fmt::layer().json().flatten_event(true);
        let theirs_of = json.with_span_list(false).with_writer(sink(&theirs));
        let ours_of = fmt::layer()
            .fmt_fields(JsonFields)
            .event_format(JsonLines)
            .with_writer(sink(&ours));
        let [ours, theirs] = [
            (tracing_subscriber::registry().with(ours_of).into(), ours),
            (
                tracing_subscriber::registry().with(theirs_of).into(),
                theirs,
            ),
        ]
        .map(|(subscriber, lines): (tracing::Dispatch, _)| {
            tracing::dispatcher::with_default(&subscriber, &log);
            let written = lines.lock().expect("nobody panicked").clone();
            let written = String::from_utf8(written).expect("text");
            let parsed = written.lines().map(|line| {
                let mut line: Value = serde_json::from_str(line).expect("a line is JSON");
                assert!(
                    line["timestamp"]
                        .as_str()
                        .is_some_and(|at| at.ends_with('Z'))
                );
                line["timestamp"] = Value::Null;
                line
            });
            parsed.collect()
        });
        [ours, theirs]
    }

    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("nobody panicked").write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_line_says_what_the_form_of_the_library_says() {
        let [ours, theirs] = lines(|| {
            tracing::info!("nothing but words");
            let span = tracing::info_span!(
                "request",
                http.request.id = "a\"b\\c",
                url.path = tracing::field::Empty
            );
            let _entered = span.enter();
            span.record("url.path", "behind");
            let text = "\"\\\n\r\t\0\u{1}\u{1f}\u{7f}\u{2028}é😀";
            tracing::warn!(
                url.path = text,
                server.cut = -1,
                server.finished = 7_u64,
                http.server.request.duration = 0.5,
                event.reason = true,
                error.message = ?Some(text),
                http.request.method = %text,
                "of {text:?} and {text}"
            );
            let _inner = tracing::info_span!("inner").entered();
            tracing::error!(http.server.request.duration = 1.0, server.cut = 1e300);
            tracing::error!(
                http.server.request.duration = f64::NAN,
                server.connections = u128::MAX,
                "in another"
            );
        });
        assert_eq!(ours, theirs);
        assert_eq!(ours.len(), 4);
        assert_eq!(
            ours[1]["span"],
            json!({ "http.request.id": "a\"b\\c", "url.path": "behind", "name": "request" })
        );
    }
}
