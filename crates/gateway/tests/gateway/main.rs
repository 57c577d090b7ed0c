//! The gateway client against real TLS servers: the sandbox, and servers that misbehave.

#[cfg(test)]
mod answer_vectors;
#[cfg(test)]
mod behaviours;
#[cfg(test)]
mod charges;
#[cfg(test)]
mod failing;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod internet;
#[cfg(test)]
mod leaks;
#[cfg(test)]
mod mutual_tls;
#[cfg(test)]
mod openssl;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod proxied;
#[cfg(test)]
mod reference_fields;
#[cfg(test)]
mod rendering;
#[cfg(test)]
mod replays;
#[cfg(test)]
mod replies;
#[cfg(test)]
mod request_vectors;
#[cfg(test)]
mod round_trip;
#[cfg(test)]
mod sandbox;
#[cfg(test)]
mod schedules;
#[cfg(test)]
mod server;
#[cfg(test)]
mod ssrf;
#[cfg(test)]
mod steps;
#[cfg(test)]
mod stores;
#[cfg(test)]
mod tls_matrix;
#[cfg(test)]
mod trials;
#[cfg(test)]
mod urls;
