//! Health and metrics, on their own listener.
//! Owns: /healthz, /readyz, /metrics and the text form of metrics.
//! Never: shows anything of a call, or listens beyond what the operator set.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::config::ServeError;

/// Counter or gauge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
}

/// A metric with its samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// `tonewall_<room>_<what>_<unit>[_total]`.
    pub name: &'static str,
    /// One line.
    pub help: &'static str,
    /// Kind.
    pub kind: MetricKind,
    /// Labels (closed enums) and value.
    pub samples: Vec<(Vec<(&'static str, String)>, f64)>,
}

/// Where the answers come from.
pub trait HealthSource: Send + Sync {
    /// What is not ready yet; empty: ready. The process is alive as long as it answers at all.
    fn not_ready(&self) -> Vec<String>;
    /// All metrics.
    fn metrics(&self) -> Vec<Metric>;
}

/// The routes.
pub fn router(source: Arc<dyn HealthSource>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(source)
}

/// A health listener that runs.
pub struct Health {
    /// Where it listens.
    pub local_addr: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Health {
    /// Ends it.
    pub async fn shutdown(self) {
        self.stop.send_replace(true);
        self.task.abort();
        let _ = self.task.await;
    }
}

/// Listens.
///
/// # Errors
/// The address cannot be had.
pub async fn serve(
    listen: SocketAddr,
    source: Arc<dyn HealthSource>,
) -> Result<Health, ServeError> {
    let failed = |source| ServeError::Listen {
        address: listen,
        source,
    };
    let listener = TcpListener::bind(listen).await.map_err(failed)?;
    let local_addr = listener.local_addr().map_err(failed)?;
    let (stop, mut stopping) = watch::channel(false);
    let task = tokio::spawn(async move {
        let serving = axum::serve(listener, router(source)).with_graceful_shutdown(async move {
            let _ = stopping.wait_for(|stop| *stop).await;
        });
        if let Err(error) = serving.await {
            tracing::error!(%error, "health listener");
        }
    });
    Ok(Health {
        local_addr,
        stop,
        task,
    })
}

async fn ready(State(source): State<Arc<dyn HealthSource>>) -> Response {
    let missing = source.not_ready();
    if missing.is_empty() {
        "ready\n".into_response()
    } else {
        let mut text = missing.join("\n");
        text.push('\n');
        (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
    }
}

async fn metrics(State(source): State<Arc<dyn HealthSource>>) -> Response {
    let kind = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    (kind, text(&source.metrics())).into_response()
}

/// The Prometheus text format.
#[must_use]
pub fn text(metrics: &[Metric]) -> String {
    let mut text = String::new();
    for metric in metrics {
        let kind = match metric.kind {
            MetricKind::Counter => "counter",
            MetricKind::Gauge => "gauge",
        };
        let _ = writeln!(text, "# HELP {} {}", metric.name, escape(metric.help));
        let _ = writeln!(text, "# TYPE {} {kind}", metric.name);
        for (labels, value) in &metric.samples {
            text.push_str(metric.name);
            write_labels(&mut text, labels);
            let _ = writeln!(text, " {value}");
        }
    }
    text
}

fn write_labels(text: &mut String, labels: &[(&'static str, String)]) {
    for (index, (name, value)) in labels.iter().enumerate() {
        let before = if index == 0 { '{' } else { ',' };
        let _ = write!(text, "{before}{name}=\"{}\"", escape(value));
    }
    if !labels.is_empty() {
        text.push('}');
    }
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_have_help_type_and_escaped_labels() {
        let metric = Metric {
            name: "tonewall_calls_running",
            help: "Calls now",
            kind: MetricKind::Gauge,
            samples: vec![
                (vec![], 3.0),
                (
                    vec![("kind", "a\"b".to_owned()), ("x", "y".to_owned())],
                    0.5,
                ),
            ],
        };
        assert_eq!(
            text(&[metric]),
            "# HELP tonewall_calls_running Calls now\n# TYPE tonewall_calls_running gauge\ntonewall_calls_running 3\ntonewall_calls_running{kind=\"a\\\"b\",x=\"y\"} 0.5\n"
        );
    }
}
