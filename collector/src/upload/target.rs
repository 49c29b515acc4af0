//! The URL that a bundle is sent to, and what the store behind it wants.

use super::UploadError;

/// Where a bundle is sent.
///
/// It has no `Debug`: its query is a secret.
pub struct Target {
    /// The whole URL, without a fragment.
    pub url: String,
    /// Whether it is https.
    pub secure: bool,
    /// Name or address of the server, an IPv6 address in brackets.
    pub host: String,
    /// Port of the server.
    pub port: u16,
    /// Path and query, beginning with `/`.
    pub object: String,
    /// What the server is.
    pub store: Store,
}

/// What is known of a server from its URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// Azure Blob Storage, which wants to be told the kind of blob and takes 5000 MiB in one PUT.
    AzureBlob,
    /// Any other: S3, COS, OSS and what speaks like them, which take 5 GB in one PUT.
    Other,
}

/// Endings of Azure's own names for Blob Storage: public, China, US government, Germany, and the
/// zones of newer accounts.
/// <https://learn.microsoft.com/azure/storage/common/storage-account-overview#storage-account-endpoints>
const AZURE_HOSTS: [&str; 5] = [
    ".blob.core.windows.net",
    ".blob.core.chinacloudapi.cn",
    ".blob.core.usgovcloudapi.net",
    ".blob.core.cloudapi.de",
    ".blob.storage.azure.net",
];

impl Store {
    /// Headers that a PUT to it needs.
    /// <https://learn.microsoft.com/rest/api/storageservices/put-blob>
    pub fn headers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::AzureBlob => &[("x-ms-blob-type", "BlockBlob")],
            Self::Other => &[],
        }
    }

    /// Most bytes of one PUT.
    pub fn limit(self) -> u64 {
        match self {
            Self::AzureBlob => 5000 << 20,
            Self::Other => 5 << 30,
        }
    }

    pub(super) fn admit(self, bytes: u64) -> Result<(), UploadError> {
        if bytes <= self.limit() {
            return Ok(());
        }
        Err(UploadError::TooLarge {
            bytes,
            limit: self.limit(),
            store: match self {
                Self::AzureBlob => "Azure Blob Storage",
                Self::Other => "an object store",
            },
        })
    }

    /// Azure by the name of its host, or, behind a name of the customer's own, by the parameters of
    /// a shared access signature: its version and the signature itself.
    /// <https://learn.microsoft.com/rest/api/storageservices/create-service-sas>
    fn of(host: &str, object: &str) -> Self {
        let host = host.to_ascii_lowercase();
        let query = object.split_once('?').map_or("", |(_, query)| query);
        let has = |name: &str| {
            query
                .split('&')
                .any(|pair| pair.split_once('=').is_some_and(|(key, _)| key == name))
        };
        if AZURE_HOSTS.iter().any(|end| host.ends_with(end)) || (has("sv") && has("sig")) {
            Self::AzureBlob
        } else {
            Self::Other
        }
    }
}

impl Target {
    /// Reads a URL.
    ///
    /// # Errors
    /// [`UploadError::Url`], which does not repeat it.
    pub fn parse(url: &str) -> Result<Self, UploadError> {
        let Some((scheme, rest)) = url.split_once("://") else {
            return Err(UploadError::Url("must begin with https:// or http://"));
        };
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(UploadError::Url("must begin with https:// or http://")),
        };
        if !url.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(UploadError::Url(
                "contains a blank or a character that must be percent-encoded",
            ));
        }
        let (rest, _fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, object) = rest.split_at(end);
        let (host, port) = host_and_port(authority, secure)?;
        let object = if object.starts_with('/') {
            object.to_owned()
        } else {
            format!("/{object}")
        };
        let scheme = if secure { "https" } else { "http" };
        Ok(Self {
            url: format!("{scheme}://{authority}{object}"),
            secure,
            host: host.to_owned(),
            port,
            store: Store::of(host, &object),
            object,
        })
    }
}

fn host_and_port(authority: &str, secure: bool) -> Result<(&str, u16), UploadError> {
    if authority.contains('@') {
        return Err(UploadError::Url("must not carry a user name"));
    }
    // The colons of an IPv6 address stand within brackets.
    let after = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    let (host, port) = match authority.get(after..).and_then(|rest| rest.find(':')) {
        Some(colon) => authority.split_at(after + colon),
        None => (authority, ""),
    };
    if host.is_empty() {
        return Err(UploadError::Url("names no server"));
    }
    let port = match port.trim_start_matches(':') {
        "" if secure => 443,
        "" => 80,
        digits => digits
            .parse()
            .map_err(|_| UploadError::Url("has a port that is not a number"))?,
    };
    Ok((host, port))
}

#[cfg(test)]
mod tests {
    use super::{Store, Target};

    fn parts(url: &str) -> (bool, String, u16, String, Store) {
        let Ok(target) = Target::parse(url) else {
            panic!("{url}");
        };
        let Target {
            secure,
            host,
            port,
            object,
            store,
            ..
        } = target;
        (secure, host, port, object, store)
    }

    fn refused(url: &str) -> String {
        Target::parse(url).err().unwrap().to_string()
    }

    #[test]
    fn presigned_urls_of_the_stores() {
        for (url, host, object, store) in [
            (
                "https://bucket.s3.eu-central-1.amazonaws.com/a%20b.zip?X-Amz-Signature=0a&x=1",
                "bucket.s3.eu-central-1.amazonaws.com",
                "/a%20b.zip?X-Amz-Signature=0a&x=1",
                Store::Other,
            ),
            (
                "https://bucket-1250000000.cos.ap-guangzhou.myqcloud.com/a?q-signature=0a",
                "bucket-1250000000.cos.ap-guangzhou.myqcloud.com",
                "/a?q-signature=0a",
                Store::Other,
            ),
            (
                "https://account1.blob.core.windows.net/c/a.zip?sp=cw",
                "account1.blob.core.windows.net",
                "/c/a.zip?sp=cw",
                Store::AzureBlob,
            ),
            (
                "https://Account1.Blob.Core.ChinaCloudApi.CN/c/a.zip",
                "Account1.Blob.Core.ChinaCloudApi.CN",
                "/c/a.zip",
                Store::AzureBlob,
            ),
            (
                "https://files.example.com/c/a.zip?sp=cw&sv=2024-11-04&sr=b&sig=0a%3D#top",
                "files.example.com",
                "/c/a.zip?sp=cw&sv=2024-11-04&sr=b&sig=0a%3D",
                Store::AzureBlob,
            ),
        ] {
            let wanted = (true, host.to_owned(), 443, object.to_owned(), store);
            assert_eq!(parts(url), wanted);
        }
    }

    #[test]
    fn hosts_and_ports() {
        for (url, host, port, object) in [
            ("http://192.0.2.1:9000/b", "192.0.2.1", 9000, "/b"),
            ("HTTP://files.example.com", "files.example.com", 80, "/"),
            ("http://[2001:db8::1]/b", "[2001:db8::1]", 80, "/b"),
            ("http://[2001:db8::1]:81?x", "[2001:db8::1]", 81, "/?x"),
        ] {
            let wanted = (
                false,
                host.to_owned(),
                port,
                object.to_owned(),
                Store::Other,
            );
            assert_eq!(parts(url), wanted);
        }
    }

    #[test]
    fn what_is_no_url_to_send_to() {
        for (url, why) in [
            ("ftp://files.example.com/b", "begin with https://"),
            ("files.example.com/b", "begin with https://"),
            ("https:///b", "names no server"),
            ("https://:443/b", "names no server"),
            ("https://user1:secret@files.example.com/b", "user name"),
            ("https://files.example.com:https/b", "port"),
            ("https://files.example.com/a b", "percent-encoded"),
            ("https://files.example.com/a\r\nX: y", "percent-encoded"),
        ] {
            let said = refused(url);
            assert!(said.contains(why), "{url}: {said}");
            assert!(!said.contains("secret"), "{said}");
        }
    }

    #[test]
    fn the_largest_put_is_admitted_and_one_byte_more_is_not() {
        for (store, limit) in [
            (Store::AzureBlob, 5_242_880_000),
            (Store::Other, 5_368_709_120),
        ] {
            assert!(store.admit(limit).is_ok());
            let said = store.admit(limit + 1).unwrap_err().to_string();
            assert!(said.contains(&limit.to_string()), "{said}");
        }
    }
}
