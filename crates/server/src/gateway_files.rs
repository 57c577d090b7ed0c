//! The files that the settings of gateways and of recorders beside this server name.
//! Owns: reading them at the start, and which setting named a file that cannot be used.
//! Never: reads one again: a certificate that was replaced counts from the next start.

use std::collections::BTreeMap;
use std::path::Path;

use gateway::{
    ClientCertificate, Connections, FileError, GatewayPolicy, HookSettings, Proxy, RecorderHook,
    read_password, read_roots,
};
use rustls::pki_types::CertificateDer;
use sip::Credentials;
use sip::digest::Ha1;

use crate::config::{self, Config, ExternalRecorder, RecorderKind};
use crate::recorder::{
    Asterisk, Control, FreeSwitch, FreeSwitchSettings, Reach, Siprec, SiprecLine, SiprecSettings,
};
use crate::wire::StartError;

/// Where charges may go, and what they may name for their connections.
///
/// # Errors
/// The first file that cannot be used.
pub(crate) fn policy(config: &Config) -> Result<GatewayPolicy, StartError> {
    let mut policy = GatewayPolicy {
        allowed_hosts: config.allowed_hosts.clone(),
        extra_roots: Vec::new(),
        connections: connections(config)?,
    };
    if let Some(path) = &config.ca_file {
        policy.extra_roots = roots("gateway.ca_file".to_owned(), path)?;
    }
    Ok(policy)
}

/// Recorders beside this server, each ready to be asked.
///
/// # Errors
/// The first file that cannot be used.
pub(crate) fn recorders(
    config: &Config,
    line: Option<&SiprecLine>,
) -> Result<BTreeMap<String, Control>, StartError> {
    let mut controls = BTreeMap::new();
    for (name, recorder) in &config.external_recorders {
        if let Some(control) = control(name, recorder, line)? {
            controls.insert(name.clone(), control);
        }
    }
    Ok(controls)
}

/// None: it takes recording sessions, and nothing here signals with those.
fn control(
    name: &str,
    recorder: &ExternalRecorder,
    line: Option<&SiprecLine>,
) -> Result<Option<Control>, StartError> {
    let table = format!("recorders.external.{name}");
    let ca_file = recorder.ca_file.as_ref();
    let roots = ca_file.map(|path| roots(format!("{table}.ca_file"), path));
    let roots = roots.transpose()?;
    let read_secret =
        |file: &Path| read_password(file).map_err(wrong(format!("{table}.secret_file")));
    let reach = match &recorder.kind {
        RecorderKind::Https { settings, secret } => {
            let secret = match secret {
                Some((header, file)) => Some((header.clone(), read_secret(file)?)),
                None => None,
            };
            let settings = HookSettings::clone(settings);
            let hook = RecorderHook::new(settings, roots.as_deref(), secret);
            let hook = hook.map_err(|source| StartError::ConfigRecorder {
                setting: table,
                source,
            })?;
            Reach::Https(Box::new(hook))
        }
        RecorderKind::Asterisk {
            settings,
            secret_file,
        } => {
            let secret = read_secret(secret_file)?;
            let asterisk = Asterisk::new(settings.clone(), roots.as_deref(), &secret);
            Reach::Asterisk(asterisk.map_err(|source| StartError::ConfigAsterisk {
                setting: table,
                source,
            })?)
        }
        RecorderKind::FreeSwitch {
            settings,
            password_file,
        } => freeswitch(table, settings, password_file, roots.as_deref())?,
        RecorderKind::Siprec {
            settings,
            credentials,
        } => {
            let Some(line) = line else {
                return Ok(None);
            };
            let credentials = match credentials {
                Some((user, realm, file)) => Some(Credentials {
                    user: user.clone(),
                    realm: realm.clone(),
                    ha1: Ha1::derive(user, realm, &read_secret(file)?),
                }),
                None => None,
            };
            let settings = SiprecSettings::clone(settings);
            Reach::Siprec(Siprec::new(name, settings, credentials, line.clone()))
        }
    };
    Ok(Some(Control {
        reach,
        pause_max: recorder.pause_max,
    }))
}

fn freeswitch(
    table: String,
    settings: &FreeSwitchSettings,
    password_file: &Path,
    roots: Option<&[CertificateDer<'static>]>,
) -> Result<Reach, StartError> {
    let password = read_password(password_file).map_err(wrong(format!("{table}.password_file")))?;
    let switch = FreeSwitch::new(settings.clone(), roots, &password);
    let switch = switch.map_err(|source| StartError::ConfigFreeSwitch {
        setting: table,
        source,
    })?;
    Ok(Reach::FreeSwitch(switch))
}

fn connections(config: &Config) -> Result<Connections, StartError> {
    let mut connections = Connections::default();
    for (name, path) in &config.connections.trust {
        let setting = format!("gateway.trust.{name}.ca_file");
        let roots = roots(setting, path)?;
        connections.trust.insert(name.clone(), roots);
    }
    for (name, files) in &config.connections.client_certificates {
        let setting = format!("gateway.client_certificates.{name}");
        let pair = ClientCertificate::read(&files.certificate, &files.key);
        let pair = pair.map_err(wrong(setting))?;
        connections.client_certificates.insert(name.clone(), pair);
    }
    for (name, proxy) in &config.connections.proxies {
        let proxy = read_proxy(&format!("gateway.proxies.{name}"), proxy)?;
        connections.proxies.insert(name.clone(), proxy);
    }
    connections.proxy.clone_from(&config.connections.proxy);
    Ok(connections)
}

fn read_proxy(table: &str, proxy: &config::Proxy) -> Result<Proxy, StartError> {
    let refused = |key: &str| {
        let setting = format!("{table}.{key}");
        |source| StartError::ConfigProxy { setting, source }
    };
    let at = Proxy::at(&proxy.url).map_err(refused("url"))?;
    let Some((user, file)) = &proxy.credentials else {
        return Ok(at);
    };
    let password = read_password(file).map_err(wrong(format!("{table}.password_file")))?;
    at.with_credentials(user, password)
        .map_err(refused("user and password_file"))
}

fn roots(setting: String, path: &Path) -> Result<Vec<CertificateDer<'static>>, StartError> {
    read_roots(path).map_err(wrong(setting))
}

fn wrong(setting: String) -> impl FnOnce(FileError) -> StartError {
    |source| StartError::ConfigGatewayFile {
        setting,
        source: Box::new(source),
    }
}
