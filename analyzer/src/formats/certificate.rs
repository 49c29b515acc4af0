//! Certificates as certificate stores in the registry keep them: the value `Blob` of
//! `SystemCertificates\STORE\Certificates\THUMBPRINT`.
//!
//! A blob is a row of properties (MS-GPEF 2.2.1.1.1.1), little-endian: u32 property id,
//! u32 reserved (1), u32 length, the value. Property 32 is the certificate in DER (RFC 5280),
//! 3 its SHA-1, 2 names the container of its private key.

use jiff::Timestamp;
use nom::bytes::complete::take;
use nom::number::complete::le_u32;
use nom::{IResult, Parser};
use sha1::{Digest, Sha1};
use x509_cert::Certificate as Parsed;
use x509_cert::der::asn1::UintRef;
use x509_cert::der::{Decode, Reader, SliceReader};
use x509_cert::ext::pkix::ExtendedKeyUsage;
use x509_cert::time::Time;

/// `CERT_KEY_PROV_INFO_PROP_ID`: the private key's container.
const KEY_PROVIDER: u32 = 2;
/// `CERT_CERT_PROP_ID`: the certificate itself.
const CERTIFICATE: u32 = 32;
/// How many properties are read; real blobs have five to fifteen.
const MAX_PROPERTIES: usize = 256;
/// `rsaEncryption`.
const RSA: &str = "1.2.840.113549.1.1.1";

/// The properties of a blob, in stored order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob<'a> {
    properties: Vec<(u32, &'a [u8])>,
}

/// What the certificate itself says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// SHA-1 of the DER: the thumbprint.
    pub sha1: [u8; 20],
    /// Subject, as RFC 4514 writes it (`CN=HOST-A`).
    pub subject: String,
    /// Issuer.
    pub issuer: String,
    /// First moment of validity, UTC.
    pub not_before: Timestamp,
    /// Last moment of validity, UTC.
    pub not_after: Timestamp,
    /// Object identifier of the signature algorithm.
    pub signature: String,
    /// Size of an RSA key in bits; `None` for other keys.
    pub rsa_bits: Option<u32>,
    /// Object identifiers of what it may be used for; `None` where it does not say.
    pub usages: Option<Vec<String>>,
}

/// A blob or a certificate that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("certificate at offset {offset:#x}: expected {expected}, found {found}")]
pub struct CertificateError {
    /// Bytes from the start of the blob, or of the DER.
    pub offset: usize,
    /// What should have been there.
    pub expected: &'static str,
    /// What was there.
    pub found: String,
}

impl<'a> Blob<'a> {
    /// Reads the properties.
    ///
    /// # Errors
    /// A property whose length does not fit into what is left, or more than 256 properties.
    pub fn parse(data: &'a [u8]) -> Result<Self, CertificateError> {
        let mut properties = Vec::new();
        let mut rest = data;
        while !rest.is_empty() {
            let error = |expected, found| CertificateError {
                offset: data.len() - rest.len(),
                expected,
                found,
            };
            if properties.len() >= MAX_PROPERTIES {
                return Err(error("at most 256 properties", "more".to_owned()));
            }
            let (after, (id, value)) = property(rest).map_err(|_| {
                let found = format!("{} bytes that hold none", rest.len());
                error("a property with its value", found)
            })?;
            properties.push((id, value));
            rest = after;
        }
        Ok(Self { properties })
    }

    /// The value of a property.
    pub fn property(&self, id: u32) -> Option<&'a [u8]> {
        let mut properties = self.properties.iter();
        properties
            .find(|(one, _)| *one == id)
            .map(|(_, value)| *value)
    }

    /// Whether a private key is associated with it.
    pub fn has_key(&self) -> bool {
        self.property(KEY_PROVIDER).is_some()
    }

    /// The certificate.
    ///
    /// # Errors
    /// There is none, or it is no X.509 certificate.
    pub fn certificate(&self) -> Result<Certificate, CertificateError> {
        let der = self.property(CERTIFICATE).ok_or_else(|| CertificateError {
            offset: 0,
            expected: "property 32, the certificate",
            found: format!("{} other properties", self.properties.len()),
        })?;
        Certificate::parse(der)
    }
}

fn property(input: &[u8]) -> IResult<&[u8], (u32, &[u8])> {
    let (rest, (id, _reserved, length)) = (le_u32, le_u32, le_u32).parse(input)?;
    let (rest, value) = take(length).parse(rest)?;
    Ok((rest, (id, value)))
}

impl Certificate {
    /// Reads a certificate in DER.
    ///
    /// # Errors
    /// It is no X.509 certificate, or its times are outside of the calendar.
    pub fn parse(der: &[u8]) -> Result<Self, CertificateError> {
        let parsed = Parsed::from_der(der).map_err(|error| CertificateError {
            offset: error
                .position()
                .map_or(0, |at| usize::try_from(u32::from(at)).unwrap_or(0)),
            expected: "an X.509 certificate in DER",
            found: error.kind().to_string(),
        })?;
        let body = parsed.tbs_certificate();
        let validity = body.validity();
        let usages = body.get_extension::<ExtendedKeyUsage>().ok().flatten();
        Ok(Self {
            sha1: Sha1::digest(der).into(),
            subject: body.subject().to_string(),
            issuer: body.issuer().to_string(),
            not_before: time(validity.not_before)?,
            not_after: time(validity.not_after)?,
            signature: parsed.signature_algorithm().oid.to_string(),
            rsa_bits: rsa_bits(&parsed),
            usages: usages.map(|(_, usages)| usages.0.iter().map(ToString::to_string).collect()),
        })
    }

    /// Whether it is issued by itself.
    pub fn is_self_signed(&self) -> bool {
        self.subject == self.issuer
    }
}

fn time(time: Time) -> Result<Timestamp, CertificateError> {
    let seconds = time.to_unix_duration().as_secs();
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok())
        .ok_or_else(|| CertificateError {
            offset: 0,
            expected: "a time within the calendar",
            found: format!("{seconds} seconds since 1970"),
        })
}

/// The bits of the modulus: `RSAPublicKey ::= SEQUENCE { modulus, publicExponent }` (RFC 8017).
fn rsa_bits(parsed: &Parsed) -> Option<u32> {
    let key = parsed.tbs_certificate().subject_public_key_info();
    if key.algorithm.oid.to_string() != RSA {
        return None;
    }
    let bytes = key.subject_public_key.as_bytes()?;
    let modulus = |reader: &mut SliceReader<'_>| {
        reader.sequence(|inner| {
            let modulus = UintRef::decode(inner)?;
            UintRef::decode(inner)?;
            let bytes = modulus.as_bytes();
            let zeros = bytes.first().map_or(0, |first| first.leading_zeros());
            let bits = u32::try_from(bytes.len())
                .unwrap_or(u32::MAX)
                .saturating_mul(8);
            Ok::<u32, x509_cert::der::Error>(bits.saturating_sub(zeros))
        })
    };
    modulus(&mut SliceReader::new(bytes).ok()?).ok()
}

#[cfg(test)]
mod tests;
