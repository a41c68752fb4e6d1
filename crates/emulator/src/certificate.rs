//! Certificates of the proxy: the emulator's own authority, and one certificate for the service's hosts.

use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::error::EmulatorError;
use crate::links::random_code;

/// A certificate authority that only clients which are configured for it trust.
pub(crate) struct Authority {
    pem: String,
    key: String,
}

fn failed(error: impl std::fmt::Display) -> EmulatorError {
    EmulatorError::Certificate(error.to_string())
}

fn authority_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "fichier emulator authority");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

impl Authority {
    pub(crate) fn generate() -> Result<Self, EmulatorError> {
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = authority_params().self_signed(&key).map_err(failed)?;
        Ok(Self { pem: certificate.pem(), key: key.serialize_pem() })
    }

    /// Returns the authority of a state directory, always the same, so that a client is configured only once.
    pub(crate) fn persistent(directory: &Path) -> Result<Self, EmulatorError> {
        let path = directory.join("authority.pem");
        // Certificate and key are in one file, written in one step: two processes that start together agree.
        if !path.exists() {
            let made = Self::generate()?;
            let temporary = directory.join(format!("authority.{}", random_code(8)));
            write_secret(&temporary, &format!("{}{}", made.pem, made.key))?;
            let linked = std::fs::hard_link(&temporary, &path);
            let _ = std::fs::remove_file(&temporary);
            match linked {
                Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                    return Err(EmulatorError::file(path)(error));
                }
                _ => {}
            }
        }
        let text = std::fs::read_to_string(&path).map_err(EmulatorError::file(&path))?;
        let split =
            text.find("-----BEGIN PRIVATE KEY-----").ok_or_else(|| failed("no key in authority.pem"))?;
        let (pem, key) = text.split_at(split);
        Ok(Self { pem: pem.to_owned(), key: key.to_owned() })
    }

    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// Returns a server's configuration with a fresh certificate for the service's hosts.
    pub(crate) fn server_config(&self) -> Result<Arc<ServerConfig>, EmulatorError> {
        let authority_key = KeyPair::from_pem(&self.key).map_err(failed)?;
        let issuer = Issuer::new(authority_params(), authority_key);
        let mut params = CertificateParams::new(["1fichier.com".to_owned(), "*.1fichier.com".to_owned()])
            .map_err(failed)?;
        params.distinguished_name.push(DnType::CommonName, "1fichier.com");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().map_err(failed)?;
        let certificate = params.signed_by(&key, &issuer).map_err(failed)?;
        let chain = vec![CertificateDer::from(certificate.der().to_vec())];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(failed)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Arc::new(config))
    }
}

fn write_secret(path: &Path, text: &str) -> Result<(), EmulatorError> {
    use std::io::Write as _;

    let mut options = std::fs::File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(EmulatorError::file(path))?;
    file.write_all(text.as_bytes()).map_err(EmulatorError::file(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_stays_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let first = Authority::persistent(directory.path()).unwrap();
        let second = Authority::persistent(directory.path()).unwrap();
        assert_eq!(first.pem, second.pem);
        second.server_config().unwrap();
        assert_ne!(Authority::generate().unwrap().pem, first.pem);
    }
}
