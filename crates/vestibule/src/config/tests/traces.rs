//! Settings of traces: in a build with them, what they mean and that keys stay hidden; in one without, that nothing is
//! ignored in silence.

#[cfg(feature = "otel")]
use super::row;
use super::{Operator, assert_snapshot};

#[cfg(not(feature = "otel"))]
#[test]
fn a_build_without_traces_refuses_their_settings() {
    let problems = Operator::says(&["--otel-sample-ratio", "0.5"])
        .file("otel.endpoint = 'http://127.0.0.1:4318'")
        .problems();
    assert_snapshot!(problems, @r"
    otel.endpoint from vestibule.toml:1: expected a build with the cargo feature `otel` (cargo build --release --features otel)
    otel.sample_ratio from --otel-sample-ratio: expected a build with the cargo feature `otel` (cargo build --release --features otel)
    ");
}

#[cfg(not(feature = "otel"))]
#[test]
fn the_variables_of_opentelemetry_are_for_other_programs_too_and_earn_a_warning() {
    let loaded = Operator::default()
        // Nothing that we could use, and for others to judge.
        .variable("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317")
        .variable("OTEL_EXPORTER_OTLP_HEADERS", "a=b,")
        .variable("OTEL_TRACES_SAMPLER_ARG", "endpoint=http://127.0.0.1:14250")
        .variable("OTEL_SERVICE_NAME", "")
        .loaded();
    assert_snapshot!(loaded.warnings.join("\n"), @r"
    OTEL_EXPORTER_OTLP_ENDPOINT has no effect, as this program was built without traces: they need a build with the cargo feature `otel` (cargo build --release --features otel)
    OTEL_EXPORTER_OTLP_HEADERS has no effect, as this program was built without traces: they need a build with the cargo feature `otel` (cargo build --release --features otel)
    OTEL_TRACES_SAMPLER_ARG has no effect, as this program was built without traces: they need a build with the cargo feature `otel` (cargo build --release --features otel)
    ");
}

#[test]
fn where_the_environment_turns_traces_off_the_variables_of_opentelemetry_say_nothing() {
    let loaded = |name, value| {
        Operator::default()
            .variable("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318")
            .dot_env("OTEL_SERVICE_NAME=theirs")
            .variable(name, value)
            .loaded()
    };
    for (name, value) in [
        ("OTEL_SDK_DISABLED", "True"),
        ("OTEL_TRACES_EXPORTER", "none"),
    ] {
        let loaded = loaded(name, value);
        assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
        #[cfg(feature = "otel")]
        assert!(loaded.config.otel.collector.is_none());
    }
    for (name, value) in [
        ("OTEL_SDK_DISABLED", "false"),
        ("OTEL_TRACES_EXPORTER", "otlp"),
    ] {
        let loaded = loaded(name, value);
        #[cfg(feature = "otel")]
        assert!(loaded.config.otel.collector.is_some());
        #[cfg(not(feature = "otel"))]
        assert!(!loaded.warnings.is_empty());
    }
}

#[cfg(feature = "otel")]
#[test]
fn the_variables_of_opentelemetry_are_read_below_our_own() {
    let loaded = Operator::default()
        .variable(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "https://collector.example/otlp/",
        )
        .variable("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%2Cb, x-tenant = 7")
        .variable("OTEL_TRACES_SAMPLER_ARG", "0.25")
        .variable("OTEL_SERVICE_NAME", "theirs")
        .variable("VESTIBULE_OTEL_SERVICE_NAME", "ours")
        .loaded();
    assert_eq!(row(&loaded, "otel.headers").text(), "(hidden), (hidden)");
    let shown = format!("{:?}", loaded.config.otel);
    assert!(!shown.contains("a,b"), "{shown}");
    let otel = loaded.config.otel;
    let collector = otel.collector.expect("one was named");
    assert_eq!(collector.origin.as_str(), "https://collector.example");
    assert_eq!(collector.path, "/otlp/v1/traces");
    let headers = otel.headers.iter();
    let headers: Vec<_> = headers
        .map(|header| (header.name.as_str(), header.value.to_str().unwrap()))
        .collect();
    assert_eq!(headers, [("api-key", "a,b"), ("x-tenant", "7")]);
    assert_eq!((otel.sample_ratio, &*otel.service_name), (0.25, "ours"));
}

#[cfg(feature = "otel")]
#[test]
fn what_is_no_collector_no_header_and_no_share_is_refused_without_a_key_in_the_report() {
    let problems = Operator::says(&["--otel-endpoint", "http://ada:secret@127.0.0.1:4318"])
        .variable("VESTIBULE_OTEL_HEADERS", "secret")
        .file("otel.sample_ratio = 1.5")
        .problems();
    assert_snapshot!(problems, @r"
    otel.endpoint from --otel-endpoint: expected the URL of a collector, such as http://127.0.0.1:4318; got `http://ada:***@127.0.0.1:4318`
    otel.headers from VESTIBULE_OTEL_HEADERS: expected the name of a header, an equals sign and its value
    otel.sample_ratio from vestibule.toml:1: expected a number from 0 to 1, such as 0.1; got `1.5`
    ");
}
