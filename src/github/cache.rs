//! Answers kept for their ETag: a 304 costs nothing of the hourly budget
//! (<https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests-if-appropriate>).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};

use super::auth::Identity;

/// How many answers are kept.
const ENTRIES: usize = 512;
/// Larger answers are not kept, which bounds the whole to 64 MB at worst.
const LARGEST: usize = 128 * 1024;

/// What an answer is kept under: another identity may see other things.
pub(super) type Key = (Identity, String);

/// An answer as it was.
#[derive(Clone)]
pub(super) struct Kept {
    pub etag: HeaderValue,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Keeps the answers that were used last.
#[derive(Default)]
pub(super) struct Cache(Mutex<Entries>);

#[derive(Default)]
struct Entries {
    kept: HashMap<Key, (u64, Kept)>,
    uses: u64,
}

impl Cache {
    pub fn get(&self, key: &Key) -> Option<Kept> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.uses += 1;
        let uses = entries.uses;
        let (used, kept) = entries.kept.get_mut(key)?;
        *used = uses;
        Some(kept.clone())
    }

    /// Keeps an answer that has an ETag and is not too large.
    pub fn put(&self, key: Key, headers: &HeaderMap, body: &Bytes) {
        let Some(etag) = headers.get(http::header::ETAG) else {
            return;
        };
        if body.len() > LARGEST {
            return;
        }
        let kept = Kept {
            etag: etag.clone(),
            headers: headers.clone(),
            body: body.clone(),
        };
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.uses += 1;
        let uses = entries.uses;
        entries.kept.insert(key, (uses, kept));
        if entries.kept.len() > ENTRIES {
            // One pass over a few hundred entries, beside a request over the network.
            let oldest = entries
                .kept
                .iter()
                .min_by_key(|(_, (used, _))| *used)
                .map(|(key, _)| key.clone());
            if let Some(oldest) = oldest {
                entries.kept.remove(&oldest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::ids::InstallationId;

    fn key(path: usize) -> Key {
        (Identity::Installation(InstallationId(1)), format!("/{path}"))
    }

    fn headers() -> HeaderMap {
        HeaderMap::from_iter([(http::header::ETAG, HeaderValue::from_static("\"a\""))])
    }

    #[test]
    fn the_answer_that_was_used_longest_ago_makes_room() {
        let cache = Cache::default();
        for path in 0..ENTRIES {
            cache.put(key(path), &headers(), &Bytes::new());
        }
        assert!(cache.get(&key(0)).is_some());
        cache.put(key(ENTRIES), &headers(), &Bytes::new());
        assert!(cache.get(&key(0)).is_some(), "just used");
        assert!(cache.get(&key(1)).is_none(), "unused for longest");
        assert!(cache.get(&key(ENTRIES)).is_some());
    }

    #[test]
    fn no_etag_or_too_large_is_not_kept_and_identities_are_apart() {
        let cache = Cache::default();
        cache.put(key(1), &HeaderMap::new(), &Bytes::new());
        cache.put(key(2), &headers(), &Bytes::from(vec![0; LARGEST + 1]));
        cache.put(key(3), &headers(), &Bytes::new());
        assert!(cache.get(&key(1)).is_none());
        assert!(cache.get(&key(2)).is_none());
        assert!(
            cache
                .get(&(Identity::Installation(InstallationId(2)), "/3".to_owned()))
                .is_none()
        );
        assert!(cache.get(&key(3)).is_some());
    }
}
