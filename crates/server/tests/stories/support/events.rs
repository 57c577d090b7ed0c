//! A page's stream of events, kept open and recorded whole.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::PoisonError;
use std::thread::JoinHandle;

use super::client::{Client, Said, unchunk};

/// An open stream.
pub(crate) struct EventStream {
    stream: TcpStream,
    said: Said,
    reading: Option<JoinHandle<()>>,
}

impl EventStream {
    /// Opens it and reads beside the test.
    pub(crate) fn open(client: &Client) -> Self {
        let mut stream = TcpStream::connect(client.address).unwrap();
        stream
            .write_all(client.head("GET", "/api/v1/events", 0, "").as_bytes())
            .unwrap();
        let (said, mut from) = (Said::default(), stream.try_clone().unwrap());
        let into = said.clone();
        let reading = std::thread::spawn(move || {
            let mut buffer = [0; 4_096];
            while let Ok(read @ 1..) = from.read(&mut buffer) {
                into.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .extend_from_slice(&buffer[..read]);
            }
        });
        Self {
            stream,
            said,
            reading: Some(reading),
        }
    }

    /// All frames so far.
    pub(crate) fn text(&self) -> Vec<u8> {
        let said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let body = said
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .map_or(0, |at| at + 4);
        unchunk(&said[body..])
    }

    /// Frames of a topic so far.
    pub(crate) fn count(&self, topic: &str) -> usize {
        let text = String::from_utf8_lossy(&self.text()).into_owned();
        text.lines()
            .filter(|line| {
                line.strip_prefix("event:")
                    .is_some_and(|named| named.trim() == topic)
            })
            .count()
    }

    /// The server has not closed it.
    pub(crate) fn is_open(&self) -> bool {
        self.reading
            .as_ref()
            .is_some_and(|reading| !reading.is_finished())
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        let _closed_already = self.stream.shutdown(Shutdown::Both);
        if let Some(reading) = self.reading.take() {
            let _ended = reading.join();
        }
    }
}
