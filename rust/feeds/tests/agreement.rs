//! The forward scan and the typed fallback give the same for any bytes, and neither panics.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a test stops at the first surprise"
)]

mod common;

use common::{PAIR, PRICE, both, pairs, read, samples};
use proptest::prelude::*;
use utb_feeds::{DecodeError, Item, Scan};
use utb_types::Source;

#[test]
fn test_frame_cut_anywhere_is_refused_as_a_whole() {
    for (source, frame) in samples() {
        let bytes = frame.as_bytes();
        for end in 0..bytes.len() {
            let outcome = both(source, &bytes[..end]);
            assert!(outcome.is_err(), "{}", &frame[..end]);
        }
    }
}

#[test]
fn test_frame_with_more_behind_it_is_refused() {
    for (source, frame) in samples() {
        for tail in ["}", "]", "{}", "x", "\0", ","] {
            let outcome = both(source, format!("{frame}{tail}").as_bytes()).map(|_| ());
            assert_eq!(outcome, Err(DecodeError::NotJson), "{tail:?}");
        }
        assert!(both(source, format!("\n {frame} \r\n").as_bytes()).is_ok());
    }
}

#[test]
fn test_every_byte_replaced_by_structure_agrees() {
    for (source, frame) in samples() {
        for at in 0..frame.len() {
            for byte in b"\"\\,:{}[]0-.e \x00\xff" {
                let mut bytes = frame.clone().into_bytes();
                bytes[at] = *byte;
                let _ = both(source, &bytes);
            }
        }
    }
}

#[test]
fn test_hostile_frames_are_refused_by_name() {
    let long = vec![b' '; 10 << 20];
    for source in [Source::DexScreener, Source::Birdeye, Source::Helius] {
        let outcome = both(source, &long).map(|_| ());
        assert_eq!(outcome, Err(DecodeError::TooLarge { bytes: 10 << 20 }));
        let deep = format!("{{\"x\":{}", "[".repeat(1 << 20));
        assert_eq!(both(source, deep.as_bytes()).map(|_| ()), Err(DecodeError::TooDeep));
        assert_eq!(both(source, b"{\"a\":\"\xff\"}").map(|_| ()), Err(DecodeError::NotUtf8));
        assert_eq!(both(source, b"").map(|_| ()), Err(DecodeError::NotJson));
        assert_eq!(both(source, b"pong").map(|_| ()), Err(DecodeError::NotJson));
    }
    assert_eq!(both(Source::Recorded, b"{}").map(|_| ()), Err(DecodeError::Unsupported));
}

#[test]
fn test_deep_value_in_an_unknown_member_is_skipped_by_both() {
    let deep = format!("{}{}", "[".repeat(400), "]".repeat(400));
    let pair = PAIR.replace("\"boosts\":{\"active\":10}", &format!("\"boosts\":{deep}"));
    assert_eq!(both(Source::DexScreener, pairs(&[&pair]).as_bytes()).unwrap().len(), 1);
}

/// Splits an object's members, strings and nesting respected.
fn members(object: &str) -> Vec<String> {
    let (mut depth, mut in_string, mut parts) = (0, false, vec![String::new()]);
    for letter in object[1..object.len() - 1].chars() {
        match letter {
            '"' => in_string = !in_string,
            '{' | '[' if !in_string => depth += 1,
            '}' | ']' if !in_string => depth -= 1,
            ',' if !in_string && depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        parts.last_mut().unwrap().push(letter);
    }
    parts
}

/// Shuffles the members of every object.
fn shuffled(text: &str, draw: &mut impl FnMut(usize) -> usize) -> String {
    if !text.starts_with('{') {
        return text.to_owned();
    }
    let mut parts: Vec<String> = members(text)
        .iter()
        .map(|member| match member.split_once(':') {
            Some((key, value)) => format!("{key}:{}", shuffled(value, draw)),
            None => member.clone(),
        })
        .collect();
    for at in (1..parts.len()).rev() {
        parts.swap(at, draw(at + 1));
    }
    format!("{{{}}}", parts.join(","))
}

/// Replacements that a source could make: other numbers, nulls, types, spaces, escapes.
const SWAPS: [(&str, &str); 12] = [
    (":", " : "),
    ("null", "0"),
    ("null", "\"x\""),
    ("\"address\"", "\"addr\\u0065ss\""),
    ("1", "1e1"),
    ("0.", "-0."),
    (".", "00000000000000000000."),
    ("5", "55555555555555555555555"),
    ("false", "true"),
    ("{", "{\"zzz\":[1,{\"a\":\"b\"}],"),
    ("\"SOL\"", "\"S\\\"L\""),
    (",", ",\t"),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn test_flipped_bytes_agree(
        sample in 0..9_usize,
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let (source, frame) = samples().swap_remove(sample);
        let mut bytes = frame.into_bytes();
        for (index, byte) in flips {
            let at = index.index(bytes.len());
            bytes[at] ^= byte;
        }
        let _ = both(source, &bytes);
    }

    #[test]
    fn test_spliced_frames_agree(
        sample in 0..9_usize,
        cut in any::<[prop::sample::Index; 3]>(),
    ) {
        let (source, frame) = samples().swap_remove(sample);
        let bytes = frame.as_bytes();
        let [from, to, at] = cut.map(|index| index.index(bytes.len()));
        let mut spliced = bytes[..at].to_vec();
        spliced.extend_from_slice(&bytes[from.min(to)..from.max(to)]);
        spliced.extend_from_slice(&bytes[at..]);
        let _ = both(source, &spliced);
    }

    #[test]
    fn test_shuffled_members_give_the_same_items(sample in 0..9_usize, seed in any::<u64>()) {
        let (source, frame) = samples().swap_remove(sample);
        let mut state = seed;
        let mut draw = |bound: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            usize::try_from(state >> 33).unwrap() % bound
        };
        let other = shuffled(&frame, &mut draw);
        prop_assert_eq!(
            read(Scan::Fast, source, frame.as_bytes()),
            read(Scan::Fast, source, other.as_bytes())
        );
        let _ = both(source, other.as_bytes());
    }

    #[test]
    fn test_replaced_parts_agree(
        sample in 0..9_usize,
        swap in 0..SWAPS.len(),
        nth in any::<prop::sample::Index>(),
    ) {
        let (source, frame) = samples().swap_remove(sample);
        let (from, to) = SWAPS[swap];
        let places: Vec<usize> = frame.match_indices(from).map(|(at, _)| at).collect();
        if places.is_empty() {
            return Ok(());
        }
        let at = places[nth.index(places.len())];
        let frame = format!("{}{to}{}", &frame[..at], &frame[at + from.len()..]);
        let _ = both(source, frame.as_bytes());
    }

    #[test]
    fn test_any_price_is_read_as_rust_reads_it(
        price in "(0|[1-9][0-9]{0,24})(\\.[0-9]{0,25}[1-9])?(e-?[0-9]{1,2})?",
    ) {
        let frame = PRICE.replace("24.58,", &format!("{price},"));
        let _ = both(Source::Birdeye, frame.as_bytes());
        let number: f64 = price.parse().unwrap();
        let frame = pairs(&[&PAIR.replace("140.5021", &price)]);
        let items = both(Source::DexScreener, frame.as_bytes()).unwrap();
        match items.as_slice() {
            [Item::Pair(pair)] => {
                prop_assert_eq!(pair.price_native.get().unwrap().to_bits(), number.to_bits());
            }
            [Item::Rejected(item)] => {
                prop_assert_eq!(item.reason, DecodeError::Range);
                prop_assert!(number <= 0.0);
            }
            other => panic!("{other:?}"),
        }
    }
}
