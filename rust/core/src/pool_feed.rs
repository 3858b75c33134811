//! Account notifications of an RPC's WebSocket, straight into the pools that use them.

use std::collections::BTreeMap;

use utb_feeds::{DecodeError, account_contents};
use utb_solana::Key;
use utb_solana::pool::{Applied, Place, Pools};

/// Longest account that is read: a fixed tick array has 9,988 bytes, `PumpSwap`'s fee schedule
/// 4,073.
const ACCOUNT_BYTES_MAX: usize = 16 << 10;

/// Longest base58 of 32 bytes.
const KEY_CHARS_MAX: usize = 44;

/// What a notification did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fed {
    /// The account.
    pub address: Key,
    /// Slot of its contents.
    pub slot: u64,
    /// What became of it.
    pub applied: Applied,
}

/// An account that is subscribed.
#[derive(Clone, Copy, Debug)]
struct Bound {
    address: Key,
    /// Where the pools held it last.
    place: Place,
    owner: Owner,
}

/// The program that owned an account last, which hardly ever changes: comparing its text is cheaper
/// than reading base58.
#[derive(Clone, Copy, Debug)]
struct Owner {
    key: Key,
    text: [u8; KEY_CHARS_MAX],
    /// Length of the text; 0 before the first notification.
    len: usize,
}

impl Owner {
    const UNKNOWN: Self = Self { key: Key([0; 32]), text: [0; KEY_CHARS_MAX], len: 0 };

    fn from_base58(text: &[u8]) -> Result<Self, DecodeError> {
        let decoded = std::str::from_utf8(text).map_err(|_| DecodeError::Shape)?;
        let key = Key::from_base58(decoded).map_err(|_| DecodeError::Shape)?;
        let mut owner = Self { key, len: text.len(), ..Self::UNKNOWN };
        let place = owner.text.get_mut(..text.len()).ok_or(DecodeError::Shape)?;
        place.copy_from_slice(text);
        Ok(owner)
    }

    #[inline]
    fn is(&self, text: &[u8]) -> bool {
        self.text.get(..self.len) == Some(text)
    }
}

/// Which account each subscription of one connection is for.
#[derive(Debug)]
pub struct PoolFeed {
    bound: BTreeMap<u64, Bound>,
    buffer: Box<[u8]>,
}

impl Default for PoolFeed {
    fn default() -> Self {
        Self { bound: BTreeMap::new(), buffer: vec![0; ACCOUNT_BYTES_MAX].into_boxed_slice() }
    }
}

impl PoolFeed {
    /// Notes that the server gave a subscription to an account this number.
    pub fn bind(&mut self, subscription: u64, address: Key) {
        self.bound
            .insert(subscription, Bound { address, place: Place::NOWHERE, owner: Owner::UNKNOWN });
    }

    /// Forgets all numbers: they belong to one connection.
    pub fn unbind_all(&mut self) {
        self.bound.clear();
    }

    /// Takes a frame; `None` for the notification of a subscription that is not bound.
    ///
    /// # Errors
    ///
    /// Returns [`DecodeError::Unsupported`] for any other message, and why a notification was
    /// refused; the pools then hold what they held.
    #[inline]
    pub fn ingest(&mut self, frame: &[u8], pools: &mut Pools) -> Result<Option<Fed>, DecodeError> {
        let mut found = None;
        let update = account_contents(frame, &mut self.buffer, |subscription| {
            let bound = self.bound.get(&subscription);
            found = bound.map(|bound| (bound, pools.place(&bound.address, bound.place)));
            found.map_or(usize::MAX, |(_, place)| pools.bytes_read(place))
        })?;
        let Some((bound, place)) = found else { return Ok(None) };
        let (address, mut owner) = (bound.address, bound.owner.key);
        let text = update.owner.as_bytes();
        if place != bound.place || !bound.owner.is(text) {
            let changed = Bound { address, place, owner: Owner::from_base58(text)? };
            owner = changed.owner.key;
            self.bound.insert(update.subscription, changed);
        }
        let data = self.buffer.get(..update.len).unwrap_or_default();
        let applied = match place {
            Place::NOWHERE => pools.apply(&address, &owner, data, update.slot),
            place => pools.apply_at(place, &owner, data, update.slot),
        };
        Ok(Some(Fed { address, slot: update.slot, applied }))
    }
}

#[cfg(test)]
mod tests {
    use base64_simd::STANDARD;
    use utb_solana::pool::{Unquotable, Venue};
    use utb_solana::program;

    use super::*;

    const POOL: Key = Key([5; 32]);
    const VAULT: Key = Key([3; 32]);

    /// An empty vault's account: 165 bytes, of which the state alone is set.
    fn notification(subscription: u64, slot: u64, data: &str) -> Vec<u8> {
        format!(
            "{{\"jsonrpc\":\"2.0\",\"method\":\"accountNotification\",\"params\":{{\"result\":\
             {{\"context\":{{\"slot\":{slot}}},\"value\":{{\"lamports\":1,\"data\":[\"{data}\",\
             \"base64\"],\"owner\":\"TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA\",\
             \"executable\":false,\"rentEpoch\":0,\"space\":165}}}},\"subscription\":{subscription}}}}}"
        )
        .into_bytes()
    }

    fn vault() -> String {
        let mut data = [0; 165];
        data[108] = 1;
        STANDARD.encode_to_string(data)
    }

    fn watching() -> (PoolFeed, Pools) {
        let (mut feed, mut pools) = (PoolFeed::default(), Pools::default());
        pools.watch(Venue::RaydiumAmm, POOL).unwrap();
        let mut account = vec![0; 752];
        account[336..368].copy_from_slice(&VAULT.0);
        pools.apply(&POOL, &program::RAYDIUM_AMM, &account, 1);
        feed.bind(7, VAULT);
        (feed, pools)
    }

    #[test]
    fn test_notification_reaches_the_account_of_its_subscription() {
        let (mut feed, mut pools) = watching();
        let missing = pools.missing();
        assert!(missing.contains(&VAULT));
        let taken = feed.ingest(&notification(7, 9, &vault()), &mut pools);
        let expected = Fed { address: VAULT, slot: 9, applied: Applied::Taken };
        assert_eq!(taken, Ok(Some(expected)));
        assert!(!pools.missing().contains(&VAULT));
        let older = feed.ingest(&notification(7, 8, &vault()), &mut pools);
        assert_eq!(older.map(|it| it.map(|it| it.applied)), Ok(Some(Applied::Older)));
        assert_ne!(pools.price(&POOL, &VAULT), Err(Unquotable::NotWatched));
    }

    #[test]
    fn test_unbound_subscriptions_and_other_messages_change_nothing() {
        let (mut feed, mut pools) = watching();
        assert_eq!(feed.ingest(&notification(8, 9, &vault()), &mut pools), Ok(None));
        let slot = b"{\"jsonrpc\":\"2.0\",\"method\":\"slotNotification\",\"params\":{\"result\":\
                     {\"parent\":1,\"root\":0,\"slot\":2},\"subscription\":1}}";
        assert_eq!(feed.ingest(slot, &mut pools), Err(DecodeError::Unsupported));
        let torn = feed.ingest(&notification(7, 9, "A"), &mut pools);
        assert_eq!(torn, Err(DecodeError::BadEncoding));
        let long = "A".repeat(4 * (ACCOUNT_BYTES_MAX / 3 + 1));
        let long = feed.ingest(&notification(7, 9, &long), &mut pools);
        assert!(matches!(long, Err(DecodeError::TooLarge { .. })), "{long:?}");
        feed.unbind_all();
        assert_eq!(feed.ingest(&notification(7, 9, &vault()), &mut pools), Ok(None));
        assert!(pools.missing().contains(&VAULT));
    }

    /// As [`notification`], of another owner's account.
    fn owned(subscription: u64, slot: u64, data: &str, owner: &Key) -> Vec<u8> {
        let frame = String::from_utf8(notification(subscription, slot, data)).unwrap();
        frame.replace(&program::TOKEN.to_base58(), &owner.to_base58()).into_bytes()
    }

    /// A Whirlpool at price 1 with everything behind its vaults set to `tail`.
    fn whirlpool(tail: u8) -> Vec<u8> {
        let mut data = vec![0; 653];
        data[..8].copy_from_slice(&[0x3f, 0x95, 0xd1, 0x0c, 0xe1, 0x80, 0x63, 0x09]);
        data[41] = 64;
        data[65..81].copy_from_slice(&(1_u128 << 64).to_le_bytes());
        data[101..133].fill(1);
        data[181..213].fill(2);
        data[245..].fill(tail);
        data
    }

    /// Beyond what is read of a Whirlpool nothing is decoded, but all of it is checked.
    #[test]
    fn test_a_whirlpools_rest_may_be_anything_but_broken_base64() {
        let (mut feed, mut pools) = (PoolFeed::default(), Pools::default());
        pools.watch(Venue::Whirlpool, POOL).unwrap();
        feed.bind(7, POOL);
        let mut mint = vec![0; 82];
        mint[45] = 1;
        for slot in 1..4 {
            let text = STANDARD.encode_to_string(whirlpool(u8::try_from(slot).unwrap()));
            let taken = feed.ingest(&owned(7, slot, &text, &program::WHIRLPOOL), &mut pools);
            assert_eq!(taken.map(|it| it.map(|it| it.applied)), Ok(Some(Applied::Taken)));
            for key in [Key([1; 32]), Key([2; 32])] {
                pools.apply(&key, &program::TOKEN, &mint, slot);
            }
            let (price, at) = pools.price(&POOL, &Key([1; 32])).unwrap();
            assert_eq!((crate::price_value(price).to_bits(), at), (1_f64.to_bits(), slot));
            for place in [0, 327, 328, 600, text.len() - 5] {
                let broken = format!("{}*{}", &text[..place], &text[place + 1..]);
                let frame = owned(7, 9, &broken, &program::WHIRLPOOL);
                assert_eq!(feed.ingest(&frame, &mut pools), Err(DecodeError::BadEncoding));
            }
        }
    }

    #[test]
    fn test_owner_that_changes_is_read_anew() {
        let (mut feed, mut pools) = watching();
        feed.ingest(&notification(7, 9, &vault()), &mut pools).unwrap();
        assert!(!pools.missing().contains(&VAULT));
        feed.ingest(&owned(7, 10, &vault(), &program::WHIRLPOOL), &mut pools).unwrap();
        assert_eq!(pools.price(&POOL, &Key([0; 32])), Err(Unquotable::Malformed(VAULT)));
        let frame = String::from_utf8(notification(7, 11, &vault())).unwrap();
        let torn = frame.replace(&program::TOKEN.to_base58(), "0OIl");
        assert_eq!(feed.ingest(torn.as_bytes(), &mut pools), Err(DecodeError::Shape));
    }

    /// A place is one of the pools it came from: others are searched.
    #[test]
    fn test_feed_finds_its_accounts_in_other_pools() {
        let (mut feed, mut pools) = watching();
        feed.ingest(&notification(7, 9, &vault()), &mut pools).unwrap();
        let mut others = Pools::default();
        others.watch(Venue::RaydiumAmm, Key([6; 32])).unwrap();
        others.watch(Venue::RaydiumAmm, Key([7; 32])).unwrap();
        let taken = feed.ingest(&notification(7, 9, &vault()), &mut others).unwrap().unwrap();
        assert_eq!(taken.applied, Applied::Unused);
        let (_, mut again) = watching();
        let taken = feed.ingest(&notification(7, 9, &vault()), &mut again).unwrap().unwrap();
        assert_eq!((taken.applied, taken.address), (Applied::Taken, VAULT));
        assert!(!again.missing().contains(&VAULT));
    }

    /// Another order of members takes the slower reader, with the same result.
    #[test]
    fn test_members_in_another_order_are_read_the_same() {
        let (mut feed, mut pools) = watching();
        let text = format!(
            "{{\"params\":{{\"subscription\":7,\"result\":{{\"value\":{{\"owner\":\
             \"TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA\",\"data\":[\"{}\",\"base64\"]}},\
             \"context\":{{\"slot\":9}}}}}},\"method\":\"accountNotification\",\"jsonrpc\":\"2.0\"}}",
            vault()
        );
        let taken = feed.ingest(text.as_bytes(), &mut pools);
        let expected = Fed { address: VAULT, slot: 9, applied: Applied::Taken };
        assert_eq!(taken, Ok(Some(expected)));
    }
}
