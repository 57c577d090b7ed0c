//! Every bound on what a peer may send, in one place (invariant I8).

/// Bytes of one message, headers and body: no UDP datagram is longer. Longer: 513.
pub const MESSAGE_BYTES_MAX: usize = 65_535;

/// Header fields of one message. Real calls through many proxies carry 40 to 60. More: 400.
pub const HEADERS_MAX: usize = 256;

/// `Via` values of one message: a request starts with `Max-Forwards: 70`, so no honest one has more. More: 400.
pub const VIAS_MAX: usize = 70;

/// `Contact`, `Route` or `Record-Route` values of one message; the same reasoning as [`VIAS_MAX`]. More: 400.
pub const LIST_VALUES_MAX: usize = 70;

/// Parameters of one value or URI. The longest the torture messages carry is about ten. More: malformed.
pub const PARAMS_MAX: usize = 64;

/// Bytes of a method name. The longest registered one has 9; the torture messages use 56. Longer: 400.
pub const METHOD_BYTES_MAX: usize = 80;

/// Bytes of a header name. The longest registered one has about 30. Longer: 400.
pub const HEADER_NAME_BYTES_MAX: usize = 128;

/// Bytes of a `Call-ID`, tag or branch: they become keys of tables, so they are bounded tighter than the message. Longer: 400.
pub const ID_BYTES_MAX: usize = 1_024;

/// Largest `CSeq`: below 2^31 ([RFC 3261 §8.1.1.5](https://www.rfc-editor.org/rfc/rfc3261#section-8.1.1.5)).
pub const CSEQ_MAX: u32 = 0x7FFF_FFFF;
