//! Which certificates are trusted. The system's are loaded at the first https connection, not before.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::error::{ApiError, BoxError, ErrorKind};

/// Certificates to trust in place of the system's.
#[derive(Debug, Clone, Default)]
pub(crate) struct Roots(Vec<CertificateDer<'static>>);

impl Roots {
    /// Adds the certificates of a PEM file.
    pub(crate) fn add_file(&mut self, path: &Path) -> Result<(), ApiError> {
        let pem = std::fs::read(path)
            .map_err(|error| setup(format!("can't read the certificates of {}", path.display()), error))?;
        self.add_pem(&pem).map_err(|error| setup(format!("no certificates in {}", path.display()), error))
    }

    /// Adds the certificates of a PEM text.
    pub(crate) fn add_pem(&mut self, pem: &[u8]) -> Result<(), BoxError> {
        let found = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>()?;
        if found.is_empty() {
            return Err("it holds no certificate".into());
        }
        self.0.extend(found);
        Ok(())
    }
}

pub(crate) fn setup(what: String, source: impl Into<BoxError>) -> ApiError {
    ApiError::here(ErrorKind::Setup { what, source: source.into() })
}

/// A TLS configuration that speaks `protocols`.
pub(crate) fn config(roots: &Roots, protocols: &[&str]) -> Result<ClientConfig, ApiError> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| setup("TLS can't be set up".into(), error))?;
    let mut config = if roots.0.is_empty() {
        let verifier = Arc::new(SystemRoots { provider, inner: OnceLock::new() });
        builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()
    } else {
        let mut store = RootCertStore::empty();
        for certificate in &roots.0 {
            store
                .add(certificate.clone())
                .map_err(|error| setup("a given certificate is unusable".into(), error))?;
        }
        let verifier = WebPkiServerVerifier::builder_with_provider(store.into(), provider)
            .build()
            .map_err(|error| setup("the given certificates are unusable".into(), error))?;
        builder.with_webpki_verifier(verifier).with_no_client_auth()
    };
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    Ok(config)
}

/// The system's certificates, loaded when first needed: that takes longer than all else at start-up.
#[derive(Debug)]
struct SystemRoots {
    provider: Arc<CryptoProvider>,
    inner: OnceLock<Result<rustls_platform_verifier::Verifier, Error>>,
}

impl SystemRoots {
    fn inner(&self) -> Result<&rustls_platform_verifier::Verifier, Error> {
        self.inner
            .get_or_init(|| rustls_platform_verifier::Verifier::new(self.provider.clone()))
            .as_ref()
            .map_err(Clone::clone)
    }
}

impl ServerCertVerifier for SystemRoots {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.inner()?.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner()?.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner()?.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
