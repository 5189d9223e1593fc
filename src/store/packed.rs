//! Payloads as they are kept. Four fifths of a payload are addresses that repeat, so LZ4 makes a fifth of it in ten
//! microseconds, which saves more of the disk's time than it takes of a processor's.
//!
//! The form is the frame of <https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md>, which `lz4 -d` reads, too.

use std::io::{Read as _, Write as _};

use lz4_flex::frame::{FrameDecoder, FrameEncoder};

use super::StoreError;

/// What a frame begins with, and no JSON does.
const MAGIC: [u8; 4] = 0x184D_2204_u32.to_le_bytes();

/// Below this, a payload fits a page of the database with its row.
const WORTH_IT: usize = 1_024;

/// The payload of a delivery that is ended when it is stored. One that is to be handled stays as it came: while servers
/// are replaced, an older one may handle it.
pub(super) fn packed(payload: Vec<u8>) -> Result<Vec<u8>, StoreError> {
    if payload.len() < WORTH_IT {
        return plain(payload);
    }
    frame(&payload)
}

/// A payload as it came. What could be taken for a frame becomes one, so that [`unpacked`] gives back every payload.
pub(super) fn plain(payload: Vec<u8>) -> Result<Vec<u8>, StoreError> {
    match payload.starts_with(&MAGIC) {
        true => frame(&payload),
        false => Ok(payload),
    }
}

fn frame(payload: &[u8]) -> Result<Vec<u8>, StoreError> {
    let mut encoder = FrameEncoder::new(Vec::with_capacity(payload.len() / 4));
    let written = encoder.write_all(payload).map_err(|error| error.to_string());
    written
        .and_then(|()| encoder.finish().map_err(|error| error.to_string()))
        .map_err(|error| StoreError::Broken(format!("a payload cannot be packed: {error}")))
}

/// The payload as it was delivered.
pub(super) fn unpacked(kept: &[u8]) -> Result<Vec<u8>, StoreError> {
    if !kept.starts_with(&MAGIC) {
        return Ok(kept.to_vec());
    }
    let mut payload = Vec::with_capacity(kept.len() * 4);
    FrameDecoder::new(kept)
        .read_to_end(&mut payload)
        .map_err(|error| StoreError::Broken(format!("a payload cannot be unpacked: {error}")))?;
    Ok(payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_payload_comes_back_as_it_came() {
        let long = br#"{"url":"https://api.github.com/repos/acme/shop"}"#.repeat(300);
        let frame = packed(long.clone()).unwrap();
        assert!(frame.len() * 10 < long.len(), "{}", frame.len());
        for payload in [b"".to_vec(), b"{}".to_vec(), long, MAGIC.to_vec(), frame] {
            for kept in [packed(payload.clone()), plain(payload.clone())] {
                assert_eq!(unpacked(&kept.unwrap()).as_ref(), Ok(&payload));
            }
        }
    }

    #[test]
    fn what_is_to_be_handled_stays_as_it_came() {
        let long = br#"{"url":"https://api.github.com"}"#.repeat(300);
        assert_eq!(plain(long.clone()).unwrap(), long);
    }

    #[test]
    fn a_frame_that_was_cut_is_an_error() {
        let frame = packed(b"{ }".repeat(1_000)).unwrap();
        assert!(matches!(
            unpacked(&frame[..frame.len() / 2]),
            Err(StoreError::Broken(_))
        ));
    }
}
