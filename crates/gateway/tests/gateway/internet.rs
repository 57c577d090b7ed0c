//! An internet of one machine: a network namespace in which every address leads here and every name says what a test says.
//! What is listened to sees whom a client wanted to reach, whichever address that has.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};

/// Set in the process that is inside: the folder of the namespace's files.
const INSIDE: &str = "TONEWALL_TEST_INTERNET";

/// Ports that are listened to at every address.
const PORTS: [u16; 9] = [22, 25, 80, 443, 3128, 6379, 8080, 8443, 9200];

/// Larger answers come by TCP ([RFC 1035 §4.2.1](https://www.rfc-editor.org/rfc/rfc1035#section-4.2.1)).
const DATAGRAM_BYTES_MAX: usize = 512;

/// All of IPv4 and IPv6 is this machine, but for one address to which there is no route; the system's resolver asks a server here.
const ENTER: &str = r#"
PATH="$PATH:/usr/sbin:/sbin"
ip link set lo up
ip route add local 0.0.0.0/0 dev lo
ip -6 route add local ::/0 dev lo
ip route add unreachable 93.184.216.99/32 table local
for file in hosts nsswitch.conf resolv.conf; do mount --bind "$0/$file" "/etc/$file"; done
exec "$1" --exact "$2" --nocapture
"#;

/// What a name answers. Others do not exist.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Named {
    /// These addresses.
    At(&'static [&'static str]),
    /// The first set when it is asked first, the second from then on.
    Turns(&'static [&'static str], &'static [&'static str]),
    /// What the other name answers.
    Alias(&'static str),
    /// So many public addresses, the last of all inside.
    Crowd(u16),
    /// Nothing, ever.
    Silent,
}

/// The inside of the namespace.
pub(crate) struct Internet {
    folder: PathBuf,
    reached: Arc<Mutex<Vec<SocketAddr>>>,
    names: Arc<Names>,
}

/// Runs a test in a process and a namespace of its own. `test` is its own name, `module::function`. Environment variables that other clients obey name a
/// proxy and a key log there.
pub(crate) fn within<F: Future<Output = ()>>(
    test: &str,
    names: &'static [(&'static str, Named)],
    work: impl FnOnce(Internet) -> F,
) {
    if let Some(folder) = std::env::var_os(INSIDE) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .unwrap();
        return runtime.block_on(async { work(Internet::start(folder.into(), names).await).await });
    }
    let folder = tempfile::tempdir().unwrap();
    for (file, text) in [
        ("hosts", "127.0.0.1 localhost\n::1 localhost\n"),
        ("nsswitch.conf", "hosts: files dns\n"),
        (
            "resolv.conf",
            "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
        ),
    ] {
        std::fs::write(folder.path().join(file), text).unwrap();
    }
    let proxy = "http://10.99.0.1:3128";
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "--net"])
        .args(["sh", "-ec", ENTER])
        .arg(folder.path())
        .arg(std::env::current_exe().unwrap())
        .arg(test)
        .env(INSIDE, folder.path())
        .env("SSLKEYLOGFILE", folder.path().join("keys"))
        .envs(["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY"].map(|name| (name, proxy)))
        .output()
        .expect("unshare (util-linux) makes the namespace");
    let said = [&*output.stdout, &*output.stderr].map(String::from_utf8_lossy);
    println!("{}{}", said[0], said[1]);
    assert!(
        output.status.success() && said[0].contains("1 passed"),
        "{test} failed in its namespace, or the kernel lets this user make none"
    );
}

impl Internet {
    async fn start(folder: PathBuf, names: &'static [(&'static str, Named)]) -> Self {
        let names = Arc::new(Names {
            named: names.iter().copied().collect(),
            asked: Mutex::default(),
        });
        serve_names(Arc::clone(&names)).await;
        let reached = Arc::<Mutex<Vec<SocketAddr>>>::default();
        for port in PORTS {
            let listener = TcpListener::bind((Ipv6Addr::UNSPECIFIED, port))
                .await
                .unwrap();
            let reached = Arc::clone(&reached);
            tokio::spawn(async move {
                loop {
                    let (tcp, _) = listener.accept().await.unwrap();
                    let wanted = tcp.local_addr().unwrap();
                    let wanted = SocketAddr::new(wanted.ip().to_canonical(), wanted.port());
                    reached.lock().unwrap().push(wanted);
                }
            });
        }
        Self {
            folder,
            reached,
            names,
        }
    }

    /// Where connections wanted to go, in their order, since this was last asked.
    pub(crate) fn reached(&self) -> Vec<SocketAddr> {
        std::mem::take(&mut *self.reached.lock().unwrap())
    }

    /// How often a name was asked for an IPv4 address.
    pub(crate) fn asked(&self, name: &str) -> usize {
        let asked = self.names.asked.lock().unwrap();
        asked.iter().filter(|one| *one == name).count()
    }

    /// Whether somebody obeyed SSLKEYLOGFILE.
    pub(crate) fn has_key_log(&self) -> bool {
        self.folder.join("keys").exists()
    }
}

struct Names {
    named: BTreeMap<&'static str, Named>,
    /// Names that were asked for an A record, each time.
    asked: Mutex<Vec<String>>,
}

/// A question: the name in lower case, the record type, and the question's own bytes.
struct Question<'a> {
    name: String,
    kind: u16,
    bytes: &'a [u8],
}

const A: u16 = 1;
const CNAME: u16 = 5;
const AAAA: u16 = 28;

impl Names {
    /// The answer to a message; none: silence.
    fn answer(&self, message: &[u8]) -> Option<Vec<u8>> {
        let question = question(message)?;
        if question.kind == A {
            self.asked.lock().unwrap().push(question.name.clone());
        }
        let mut records = Vec::new();
        let mut owner = question.name.clone();
        let mut named = self.named(&owner);
        while let Some(Named::Alias(other)) = named {
            records.push(record(&owner, CNAME, &labels(other)));
            other.clone_into(&mut owner);
            named = self.named(&owner);
        }
        let addresses: Vec<IpAddr> = match named {
            Some(Named::Silent) => return None,
            Some(named) => self.addresses(&question.name, named),
            None => numbered(&owner).into_iter().collect(),
        };
        let exists = named.is_some() || !addresses.is_empty();
        records.extend(addresses.iter().filter_map(|address| match address {
            IpAddr::V4(v4) if question.kind == A => Some(record(&owner, A, &v4.octets())),
            IpAddr::V6(v6) if question.kind == AAAA => Some(record(&owner, AAAA, &v6.octets())),
            _ => None,
        }));
        let code = if exists { 0 } else { 3 };
        let mut answer = message[..2].to_vec();
        answer.extend([0x81, 0x80 | code, 0, 1]);
        answer.extend(u16::try_from(records.len()).unwrap().to_be_bytes());
        answer.extend([0; 4]);
        answer.extend(question.bytes);
        answer.extend(records.concat());
        Some(answer)
    }

    fn named(&self, name: &str) -> Option<Named> {
        self.named.get(name).copied()
    }

    fn addresses(&self, asked: &str, named: Named) -> Vec<IpAddr> {
        let read = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        match named {
            Named::At(addresses) => read(addresses),
            Named::Turns(first, then) => {
                let times = self.asked.lock().unwrap();
                let again = times.iter().filter(|name| *name == asked).count() > 1;
                read(if again { then } else { first })
            }
            Named::Crowd(count) => {
                let public = (1..count).map(|place| {
                    let [high, low] = place.to_be_bytes();
                    IpAddr::from(Ipv4Addr::new(93, 184, high, low))
                });
                public.chain([IpAddr::from(Ipv4Addr::LOCALHOST)]).collect()
            }
            Named::Alias(_) | Named::Silent => Vec::new(),
        }
    }
}

/// Names that hold their own address, as services on the internet give them to everybody: "10-0-0-1.v4.example", "fd00-ec2--254.v6.example".
fn numbered(name: &str) -> Option<IpAddr> {
    let v4 = name.strip_suffix(".v4.example");
    let v6 = name.strip_suffix(".v6.example");
    v4.map(|text| text.replace('-', "."))
        .or_else(|| v6.map(|text| text.replace('-', ":")))
        .and_then(|text| text.parse().ok())
}

/// Reads the only question ([RFC 1035 §4.1.2](https://www.rfc-editor.org/rfc/rfc1035#section-4.1.2)).
fn question(message: &[u8]) -> Option<Question<'_>> {
    let mut name = String::new();
    let mut at = 12;
    loop {
        let length = usize::from(*message.get(at)?);
        at += 1;
        if length == 0 {
            break;
        }
        let label = std::str::from_utf8(message.get(at..at + length)?).ok()?;
        if !name.is_empty() {
            name.push('.');
        }
        name.push_str(&label.to_ascii_lowercase());
        at += length;
    }
    let kind = u16::from_be_bytes(message.get(at..at + 2)?.try_into().ok()?);
    Some(Question {
        name,
        kind,
        bytes: message.get(12..at + 4)?,
    })
}

fn labels(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in name.split('.') {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes
}

/// A record that nobody may keep: its time to live is 0.
fn record(owner: &str, kind: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = labels(owner);
    bytes.extend(kind.to_be_bytes());
    bytes.extend([0, 1, 0, 0, 0, 0]);
    bytes.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
    bytes.extend(data);
    bytes
}

async fn serve_names(names: Arc<Names>) {
    let datagrams = UdpSocket::bind("127.0.0.1:53").await.unwrap();
    let streams = TcpListener::bind("127.0.0.1:53").await.unwrap();
    let by_stream = Arc::clone(&names);
    tokio::spawn(async move {
        let mut message = [0; DATAGRAM_BYTES_MAX];
        loop {
            let (length, from) = datagrams.recv_from(&mut message).await.unwrap();
            let Some(mut answer) = names.answer(&message[..length]) else {
                continue;
            };
            if answer.len() > DATAGRAM_BYTES_MAX {
                let asked = question(&message[..length]).unwrap();
                answer.truncate(12 + asked.bytes.len());
                // Truncated: ask again by TCP.
                answer[2] |= 2;
                answer[6..8].fill(0);
            }
            datagrams.send_to(&answer, from).await.unwrap();
        }
    });
    tokio::spawn(async move {
        loop {
            let (mut tcp, _) = streams.accept().await.unwrap();
            let names = Arc::clone(&by_stream);
            tokio::spawn(async move {
                while let Ok(length) = tcp.read_u16().await {
                    let mut message = vec![0; length.into()];
                    tcp.read_exact(&mut message).await.unwrap();
                    let answer = names.answer(&message).unwrap_or_default();
                    tcp.write_u16(u16::try_from(answer.len()).unwrap())
                        .await
                        .unwrap();
                    tcp.write_all(&answer).await.unwrap();
                }
            });
        }
    });
}
