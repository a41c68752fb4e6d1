//! Certificates that are trusted, and the client's own. The system's are loaded at the first https connection, not
//! before.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, ConfigBuilder, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls::{WantsVerifier, client::WantsClientCert};

use crate::error::{ApiError, BoxError, ErrorKind};

/// Certificates to trust instead of the system's.
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

/// The client's certificate, and its private key.
#[derive(Debug)]
pub(crate) struct Identity {
    chain: Vec<CertificateDer<'static>>,
    /// `Debug` doesn't show it.
    key: PrivateKeyDer<'static>,
}

/// Trusted certificates, and the client's own.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trust {
    pub(crate) roots: Roots,
    /// Whether to accept any certificate.
    pub(crate) anybody: bool,
    pub(crate) identity: Option<Arc<Identity>>,
}

impl Trust {
    /// Sets the client's certificate and key from two PEM files.
    pub(crate) fn identify(&mut self, certificates: &Path, key: &Path) -> Result<(), ApiError> {
        let shown = key.display();
        let none = |error: BoxError| setup(format!("no certificate in {}", certificates.display()), error);
        let chain = CertificateDer::pem_file_iter(certificates)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| none(error.into()))?;
        if chain.is_empty() {
            return Err(none("it holds no certificate".into()));
        }
        let pem = std::fs::read(key).map_err(|error| setup(format!("can't read {shown}"), error))?;
        if is_encrypted(&pem) {
            let hint = "write it without a password: openssl pkey -in OLD -out NEW";
            return Err(setup(format!("the private key in {shown} is encrypted"), hint));
        }
        let key = PrivateKeyDer::from_pem_slice(&pem)
            .map_err(|error| setup(format!("no private key in {shown}"), error))?;
        self.identity = Some(Arc::new(Identity { chain, key }));
        Ok(())
    }

    /// Returns a TLS configuration for `protocols`.
    pub(crate) fn config(&self, protocols: &[&str]) -> Result<ClientConfig, ApiError> {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| setup("TLS can't be set up".into(), error))?;
        let builder = self.verifying(builder, provider)?;
        let mut config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some(identity) => builder
                .with_client_auth_cert(identity.chain.clone(), identity.key.clone_key())
                .map_err(|error| setup("the client's certificate is unusable".into(), error))?,
        };
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Ok(config)
    }

    fn verifying(
        &self,
        builder: ConfigBuilder<ClientConfig, WantsVerifier>,
        provider: Arc<CryptoProvider>,
    ) -> Result<ConfigBuilder<ClientConfig, WantsClientCert>, ApiError> {
        if self.anybody || self.roots.0.is_empty() {
            let believed = if self.anybody { Believed::Anybody } else { Believed::System(OnceLock::new()) };
            let verifier = Arc::new(Verifier { provider, believed });
            return Ok(builder.dangerous().with_custom_certificate_verifier(verifier));
        }
        let mut store = RootCertStore::empty();
        for certificate in &self.roots.0 {
            store
                .add(certificate.clone())
                .map_err(|error| setup("a given certificate is unusable".into(), error))?;
        }
        let verifier = WebPkiServerVerifier::builder_with_provider(store.into(), provider)
            .build()
            .map_err(|error| setup("the given certificates are unusable".into(), error))?;
        Ok(builder.with_webpki_verifier(verifier))
    }
}

/// Checks whether a private key in PEM form is protected by a password.
fn is_encrypted(pem: &[u8]) -> bool {
    let has = |words: &[u8]| pem.windows(words.len()).any(|window| window == words);
    has(b"BEGIN ENCRYPTED PRIVATE KEY") || has(b"Proc-Type: 4,ENCRYPTED")
}

/// Certificates that are accepted.
#[derive(Debug)]
enum Believed {
    /// Any certificate: the user asked for that.
    Anybody,
    /// Certificates that the system trusts, loaded when first needed: that takes longer than everything else at the
    /// start.
    System(OnceLock<Result<rustls_platform_verifier::Verifier, Error>>),
}

/// Verifies a server. In any case its messages must be signed with the key of the certificate that it shows.
#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    believed: Believed,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Believed::System(roots) = &self.believed else { return Ok(ServerCertVerified::assertion()) };
        roots
            .get_or_init(|| rustls_platform_verifier::Verifier::new(self.provider.clone()))
            .as_ref()
            .map_err(Clone::clone)?
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
