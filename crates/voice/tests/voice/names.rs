//! Places of trunks by a real name server.

use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sip::{Transport, Uri};
use voice::trunk::hops::{Candidate, in_order};
use voice::trunk::names::Names;

const OURS: [Transport; 3] = [Transport::Udp, Transport::Tcp, Transport::Tls];

/// A dnsmasq of its own, with a zone.
struct NameServer {
    process: Child,
    address: SocketAddr,
}

impl NameServer {
    fn start(zone: &[&str]) -> Self {
        let free = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let process = Command::new("dnsmasq")
            .args([
                "--no-daemon",
                "--conf-file=/dev/null",
                "--no-resolv",
                "--no-hosts",
            ])
            .args([
                "--bind-interfaces",
                "--listen-address=127.0.0.1",
                "--local=/example/",
            ])
            .arg(format!("--port={}", address.port()))
            .arg("--user=root")
            .args(zone)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("dnsmasq is needed for this test (dnsmasq-base)");
        Self { process, address }
    }

    /// The places of a URI as `transport address`; asks until the server has come up.
    async fn places(&self, uri: &str) -> Vec<Candidate> {
        let names = Names::at(self.address).unwrap();
        let uri = Uri::parse(uri.as_bytes()).unwrap();
        let began = Instant::now();
        loop {
            let places = names.places(uri.as_sip().unwrap(), &OURS).await;
            if !places.is_empty() || began.elapsed() > Duration::from_secs(10) {
                return places;
            }
        }
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        let _gone_already = self.process.kill();
        let _reaped = self.process.wait();
    }
}

fn text(candidates: &[Candidate]) -> Vec<String> {
    in_order(candidates, |_| 0)
        .iter()
        .map(|hop| {
            format!(
                "{} {} {}",
                hop.transport,
                hop.address,
                hop.name.as_deref().unwrap_or("-")
            )
        })
        .collect()
}

#[tokio::test]
async fn a_trunk_is_found_by_naptr_srv_and_addresses() {
    let server = NameServer::start(&[
        "--naptr-record=carrier.example,10,10,s,SIPS+D2T,,_sips._tcp.carrier.example",
        "--naptr-record=carrier.example,20,10,s,SIP+D2U,,_sip._udp.carrier.example",
        "--srv-host=_sips._tcp.carrier.example,sbc1.carrier.example,5061,10,5",
        "--srv-host=_sips._tcp.carrier.example,sbc2.carrier.example,5071,20,5",
        "--srv-host=_sip._udp.carrier.example,sbc1.carrier.example,5060,10,5",
        "--host-record=sbc1.carrier.example,192.0.2.1,2001:db8::1",
        "--host-record=sbc2.carrier.example,192.0.2.2",
        "--host-record=pbx.example,192.0.2.3",
    ]);
    let places = server.places("sip:carrier.example").await;
    let mut found = text(&places);
    found.sort();
    assert_eq!(
        found,
        [
            "TLS 192.0.2.1:5061 carrier.example",
            "TLS 192.0.2.2:5071 carrier.example",
            "TLS [2001:db8::1]:5061 carrier.example",
            "UDP 192.0.2.1:5060 carrier.example",
            "UDP [2001:db8::1]:5060 carrier.example",
        ]
    );
    assert!(
        text(&places)[0].contains(":5061"),
        "the liked transport and server first"
    );
    let places = server.places("sip:pbx.example:5070;transport=tcp").await;
    assert_eq!(text(&places), ["TCP 192.0.2.3:5070 pbx.example"]);
    let places = server.places("sip:pbx.example").await;
    assert_eq!(text(&places), ["UDP 192.0.2.3:5060 pbx.example"]);
}

#[tokio::test]
async fn a_name_server_that_is_silent_costs_seconds_and_not_more() {
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let names = Names::at(silent.local_addr().unwrap()).unwrap();
    let uri = Uri::parse(b"sip:carrier.example").unwrap();
    let began = Instant::now();
    assert_eq!(names.places(uri.as_sip().unwrap(), &OURS).await, []);
    assert!(
        began.elapsed() < Duration::from_secs(8),
        "{:?}",
        began.elapsed()
    );
}
