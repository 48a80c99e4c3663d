//! How batches of spans travel to the collector: by a connection each, as they are few, with this machine's authorities
//! behind TLS; and what the operator is told of a collector that does not take them.

use std::{
    fmt,
    pin::Pin,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use axum::http::{HeaderMap, HeaderName, Request, Response, Uri, header, uri::PathAndQuery};
use bytes::Bytes;
use http_body_util::Full;
use opentelemetry_http::{HttpClient, HttpError};

use crate::{
    config::{Collector, CollectorHeader},
    conversation::Server,
};

/// How long a collector may take for a batch; OpenTelemetry's default.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// What of a request is the exporter's to say. It would add headers of the environment, which the settings have a say in.
const OF_THE_EXPORTER: [HeaderName; 2] = [header::CONTENT_TYPE, header::CONTENT_ENCODING];

/// Whoever brings batches to the collector.
pub(super) struct Client {
    collector: Server,
    headers: HeaderMap,
    /// Whether the last batch was not taken.
    is_failing: AtomicBool,
}

/// The server alone is of interest: the headers hold keys.
impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.collector.origin().as_str();
        formatter.debug_tuple("Client").field(&name).finish()
    }
}

impl Client {
    /// To this collector, with the headers that it asks for.
    ///
    /// # Errors
    /// As [`Server::new`].
    pub(super) fn new(
        collector: &Collector,
        asked_for: &[CollectorHeader],
    ) -> Result<Self, String> {
        let authority = collector.origin.authority().parse();
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, authority.expect("an origin has one"));
        headers.insert(
            header::CONNECTION,
            header::HeaderValue::from_static("close"),
        );
        for asked in asked_for {
            headers.insert(asked.name.clone(), asked.value.clone());
        }
        Ok(Self {
            collector: Server::new(collector.origin.clone(), PATIENCE)?,
            headers,
            is_failing: AtomicBool::new(false),
        })
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (mut head, body) = request.into_parts();
        let path = head.uri.path_and_query().cloned();
        head.uri = Uri::from(path.unwrap_or_else(|| PathAndQuery::from_static("/")));
        let mut headers = self.headers.clone();
        for name in OF_THE_EXPORTER {
            if let Some(value) = head.headers.remove(&name) {
                headers.insert(name, value);
            }
        }
        head.headers = headers;
        let request = Request::from_parts(head, Full::from(body));
        let answer = self.collector.ask(request).await;
        match &answer {
            Ok(answer) if answer.status().is_success() => self.tell(None),
            Ok(answer) => self.tell(Some(&format!("it answers {}", answer.status()))),
            Err(cause) => self.tell(Some(cause)),
        }
        Ok(answer?)
    }

    /// Tells the operator when it begins to fail, and when that is over.
    fn tell(&self, failure: Option<&str>) {
        let was_failing = self.is_failing.swap(failure.is_some(), Ordering::Relaxed);
        match failure {
            Some(cause) if !was_failing => tracing::warn!(
                error.message = cause,
                "Traces are lost until their collector takes them: {cause}"
            ),
            None if was_failing => tracing::info!("Traces reach their collector again"),
            Some(_) | None => {}
        }
    }
}

impl HttpClient for Client {
    fn send_bytes<'client, 'answer>(
        &'client self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'answer>>
    where
        'client: 'answer,
        Self: 'answer,
    {
        Box::pin(self.send(request))
    }
}
