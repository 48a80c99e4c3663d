//! Lines of the log that name their trace, by the fields that OpenTelemetry has for that in logs of other forms.

use std::fmt;

use opentelemetry::{Context, trace::TraceContextExt as _};
use tracing::{Event, Subscriber};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::{Format, Json, Writer},
    },
    registry::LookupSpan,
};

/// JSON with a trace, where there is one.
pub(super) struct WithTrace(pub(super) Format<Json>);

impl<S, N> FormatEvent<S, N> for WithTrace
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let trace = Context::map_current(|context| context.span().span_context().clone());
        if !trace.is_valid() {
            return self.0.format_event(context, writer, event);
        }
        let mut line = String::new();
        self.0
            .format_event(context, Writer::new(&mut line), event)?;
        // The line is an object, whose end is put behind what is added.
        let object = line.trim_end();
        let open = object.strip_suffix('}').ok_or(fmt::Error)?;
        writeln!(
            writer,
            r#"{open},"trace_id":"{}","span_id":"{}","trace_flags":"{:02x}"}}"#,
            trace.trace_id(),
            trace.span_id(),
            trace.trace_flags(),
        )
    }
}
