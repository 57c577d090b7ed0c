//! HTTPS to payment gateways, the only place a digit leaves.
//! Owns: rendering, one connection per attempt, reading the verdict's evidence.
//! Never: retries, redirects, pools or logs a body.
//! Start reading at: `charge`.
