//! Why a message is not signed: one stable code per rule.

use serde::Serialize;

/// A refusal's code, its words for `docs/signer.md`, and whether it is a rule of the policy.
macro_rules! codes {
    ($($name:ident $text:literal $kind:ident $words:literal,)*) => {
        /// Why a message is not signed. The names are stable: others act on them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Code { $(#[doc = $words] $name,)* }

        impl Code {
            /// Every code, in the order of the table in `docs/signer.md`.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Returns the stable name.
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Returns what it means.
            pub fn words(self) -> &'static str {
                match self { $(Self::$name => $words,)* }
            }

            /// Returns whether it is a rule that a test can switch off; the rest is form.
            pub fn is_rule(self) -> bool {
                match self { $(Self::$name => codes!(@$kind),)* }
            }
        }
    };
    (@rule) => { true };
    (@form) => { false };
}

codes! {
    Malformed "MALFORMED" form "The bytes are no message of a known version.",
    BadClaim "BAD_CLAIM" form "The claim's kind or intent id is not of the known form.",
    State "STATE" form "The signer cannot write its record, so it signs nothing.",
    Signers "SIGNERS" rule "Somebody beside the wallet signs, or the wallet does not pay.",
    DuplicateKey "DUPLICATE_KEY" rule "A key stands twice in the message.",
    TableNotPinned "TABLE_NOT_PINNED" rule "A lookup table is not in the signer's configuration.",
    AccountUnresolved "ACCOUNT_UNRESOLVED" rule
        "A judged account stands in a table that the signer does not know.",
    ProgramNotAllowed "PROGRAM_NOT_ALLOWED" rule "A program is not on the allow-list.",
    InstructionNotAllowed "INSTRUCTION_NOT_ALLOWED" rule
        "An instruction of an allowed program is none that this system builds.",
    Approve "APPROVE" rule "A delegate would be allowed to move tokens.",
    SetAuthority "SET_AUTHORITY" rule "An account's owner or authority would change.",
    Assign "ASSIGN" rule "The wallet would be given to a program.",
    Nonce "NONCE" rule "A durable nonce would be used or changed.",
    CloseTarget "CLOSE_TARGET" rule
        "An account would be closed to somebody else than the wallet.",
    TransferTarget "TRANSFER_TARGET" rule
        "Lamports would go to an account that is neither a listed tip account nor our own.",
    TokenSource "TOKEN_SOURCE" rule
        "Tokens would leave an account that is not the wallet's for that mint.",
    TokenTarget "TOKEN_TARGET" rule
        "Tokens would go to an account that is not the wallet's for that mint.",
    TokenAccount "TOKEN_ACCOUNT" rule
        "A token account would be made for somebody else or at another address.",
    Authority "AUTHORITY" rule "Somebody beside the wallet would give the order to move its funds.",
    TipCount "TIP_COUNT" rule "More than one tip.",
    TipCap "TIP_CAP" rule "The tip is above its cap.",
    Guard "GUARD" rule "A guard account is not of the one allowed form, or stands where it must not.",
    GuardMissing "GUARD_MISSING" rule
        "An exit of a cash mint, or one after the first of its intent, has no guard.",
    GuardRecovery "GUARD_RECOVERY" rule "A guard's rent would go elsewhere, or inside a trade.",
    Intent "INTENT" rule "The message's memo or guard is not the claimed intent's.",
    Kind "KIND" rule "The message does not do what its claim says.",
    MinimumOut "MINIMUM_OUT" rule "A swap has no minimum output.",
    ExactOutput "EXACT_OUTPUT" rule "A swap names its output and not its input.",
    PlatformFee "PLATFORM_FEE" rule "The aggregator would take a platform fee.",
    Slippage "SLIPPAGE" rule "The aggregator's slippage is above its limit.",
    Route "ROUTE" rule "The aggregator's route is not understood to its last byte.",
    ComputeBudget "COMPUTE_BUDGET" rule
        "The compute-unit limit and price do not stand exactly once.",
    FeeCap "FEE_CAP" rule "Base fee, priority fee and tip are above the cap.",
    TransactionCap "TRANSACTION_CAP" rule "The transaction could lose more than one may.",
    MinuteCap "MINUTE_CAP" rule "The transactions of a minute could lose more than they may.",
    DayCap "DAY_CAP" rule "The transactions of a day could lose more than they may.",
    Rate "RATE" rule "Too many transactions in a minute.",
    IntentReplayed "INTENT_REPLAYED" rule "An entry's intent was signed before, as another message.",
    Attempts "ATTEMPTS" rule "An exit's intent has had all its attempts.",
    Halted "HALTED" rule "The halt switch is on; only exits are signed.",
}

impl Code {
    /// Returns the code with this name.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|it| it.text() == text)
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}

/// A refusal: its code and what was found. It never holds key material; there is none here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Which rule.
    pub code: Code,
    /// What was found, for people.
    pub message: String,
}

impl Refusal {
    /// Makes a refusal.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}

/// Rules that are switched off: none, but in a test of the rules that has no key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Off(u64);

impl Off {
    /// Nothing is off.
    pub const NONE: Self = Self(0);

    /// Switches a rule off; what is form and no rule stays on.
    #[must_use]
    pub fn with(self, code: Code) -> Self {
        if code.is_rule() { Self(self.0 | 1 << (code as u8)) } else { self }
    }

    /// Returns whether a rule is off.
    pub fn has(self, code: Code) -> bool {
        self.0 & (1 << (code as u8)) != 0
    }

    /// Refuses with `code` if `holds` is false and the rule is on.
    ///
    /// # Errors
    ///
    /// Returns the refusal.
    pub fn demand<M: Into<String>>(
        self,
        holds: bool,
        code: Code,
        message: impl FnOnce() -> M,
    ) -> Result<(), Refusal> {
        if holds || self.has(code) { Ok(()) } else { Err(Refusal::new(code, message())) }
    }
}
