//! What the kernel writes beside a datagram: who sent it, and when.
//! Owns: socket addresses and time stamps as bytes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use nix::libc;
use nix::sys::time::TimeSpec;

/// Longest socket address of the Internet.
pub(super) const NAME_BYTES: usize = size_of::<libc::sockaddr_in6>();

/// A `sockaddr` of the Internet: family in native order, port in network order, then the address; in IPv6 behind a flow label.
pub(super) fn address(name: &[u8]) -> Option<SocketAddr> {
    let family = u16::from_ne_bytes(*name.first_chunk()?);
    let port = u16::from_be_bytes(*name.get(2..)?.first_chunk()?);
    let ip = match i32::from(family) {
        libc::AF_INET => IpAddr::V4(Ipv4Addr::from(*name.get(4..)?.first_chunk::<4>()?)),
        libc::AF_INET6 => IpAddr::V6(Ipv6Addr::from(*name.get(8..)?.first_chunk::<16>()?)),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// Writes a `sockaddr`; yields its length.
pub(super) fn write_address(address: SocketAddr, name: &mut [u8; NAME_BYTES]) -> u32 {
    let family = if address.is_ipv4() {
        libc::AF_INET
    } else {
        libc::AF_INET6
    };
    *name = [0; NAME_BYTES];
    name[..2].copy_from_slice(&u16::try_from(family).unwrap_or(0).to_ne_bytes());
    name[2..4].copy_from_slice(&address.port().to_be_bytes());
    let len = match address {
        SocketAddr::V4(four) => {
            name[4..8].copy_from_slice(&four.ip().octets());
            size_of::<libc::sockaddr_in>()
        }
        SocketAddr::V6(six) => {
            name[8..24].copy_from_slice(&six.ip().octets());
            name[24..].copy_from_slice(&six.scope_id().to_ne_bytes());
            size_of::<libc::sockaddr_in6>()
        }
    };
    u32::try_from(len).unwrap_or(0)
}

/// The time in a control message: length, level and type, then seconds and nanoseconds.
pub(super) fn stamp(control: &[u8]) -> Option<TimeSpec> {
    let level = i32::from_ne_bytes(*control.get(8..)?.first_chunk()?);
    let kind = i32::from_ne_bytes(*control.get(12..)?.first_chunk()?);
    if (level, kind) != (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) {
        return None;
    }
    let seconds = i64::from_ne_bytes(*control.get(16..)?.first_chunk()?);
    let nanos = i64::from_ne_bytes(*control.get(24..)?.first_chunk()?);
    Some(TimeSpec::new(seconds, nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_was_written_reads_back() {
        for text in ["192.0.2.7:4000", "[2001:db8::9]:5004"] {
            let (wanted, mut name) = (text.parse().unwrap(), [0xFF; NAME_BYTES]);
            let len = write_address(wanted, &mut name);
            assert_eq!(address(&name), Some(wanted));
            assert_eq!(len, if wanted.is_ipv4() { 16 } else { 28 });
        }
    }
}
