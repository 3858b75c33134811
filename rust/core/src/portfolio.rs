//! Equity at the marks, its peak and its floor.

use serde::{Deserialize, Serialize};

use crate::CoreError;

/// Most instruments held at once that are watched.
const HOLDINGS_MAX: usize = 4096;

/// What the ledger holds, with values in the quote currency of equity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    cash: f64,
    holdings: Vec<(u32, f64)>,
    peak: f64,
    max_drawdown: Option<f64>,
}

/// Equity = cash + sum of quantity x mark, over the holdings in the order given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Portfolio {
    cash: f64,
    holdings: Vec<(u32, f64)>,
    peak: f64,
    max_drawdown: Option<f64>,
    /// At the last marks; `None` while a held instrument has none.
    equity: Option<f64>,
    /// Whether the floor fired; armed again once equity is back at it.
    fell: bool,
}

/// Equity at or below its floor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Fall {
    pub(crate) equity: f64,
    pub(crate) floor: f64,
    pub(crate) peak: f64,
}

impl Portfolio {
    /// Reads the JSON document; `instruments` is their number.
    pub(crate) fn from_json(json: &[u8], instruments: usize) -> Result<Self, CoreError> {
        let document: Document =
            sonic_rs::from_slice(json).map_err(|error| CoreError::document("portfolio", error))?;
        let Document { cash, holdings, peak, max_drawdown } = document;
        if holdings.len() > HOLDINGS_MAX {
            let expected = format!("at most {HOLDINGS_MAX}");
            return Err(CoreError::range("holdings", holdings.len(), expected));
        }
        for (instrument, quantity) in &holdings {
            if *instrument as usize >= instruments {
                let expected = format!("below {instruments}");
                return Err(CoreError::range("holdings.instrument", instrument, expected));
            }
            if !(quantity.is_finite() && *quantity >= 0.0) {
                return Err(CoreError::range("holdings.quantity", quantity, "finite, >= 0"));
            }
        }
        for (field, value) in [("cash", cash), ("peak", peak)] {
            if !value.is_finite() {
                return Err(CoreError::range(field, value, "finite"));
            }
        }
        if let Some(share) = max_drawdown.filter(|share| !(0.0..=1.0).contains(share)) {
            return Err(CoreError::range("max_drawdown", share, "in 0..=1, or null"));
        }
        Ok(Self { cash, holdings, peak, max_drawdown, equity: None, fell: false })
    }

    /// Takes the place of an earlier one: a fall that was told is not told again.
    pub(crate) fn succeed(&mut self, earlier: Option<&Self>) {
        self.fell = earlier.is_some_and(|earlier| earlier.fell);
    }

    /// Takes the marks anew without asking for the floor: the next price does.
    pub(crate) fn start(&mut self, mark: impl Fn(u32) -> f64) {
        let fell = self.fell;
        self.revalue(mark);
        self.fell = fell;
    }

    /// Returns whether it holds an instrument.
    pub(crate) fn holds(&self, instrument: u32) -> bool {
        self.holdings.iter().any(|(held, quantity)| *held == instrument && *quantity > 0.0)
    }

    /// Returns (equity, peak) at the last marks.
    pub(crate) fn equity(&self) -> Option<(f64, f64)> {
        self.equity.map(|equity| (equity, self.peak))
    }

    /// Takes the marks anew; `mark` returns 0 where there is none. Returns a fall through the
    /// floor, peak x (1 - `max_drawdown`), once.
    pub(crate) fn revalue(&mut self, mark: impl Fn(u32) -> f64) -> Option<Fall> {
        let mut equity = self.cash;
        for (instrument, quantity) in &self.holdings {
            let price = mark(*instrument);
            if *quantity > 0.0 && price <= 0.0 {
                self.equity = None;
                return None;
            }
            equity += quantity * price;
        }
        self.equity = Some(equity);
        self.peak = self.peak.max(equity);
        let floor = self.peak * (1.0 - self.max_drawdown?);
        let fell = equity < floor;
        let fires = fell && !self.fell;
        self.fell = fell;
        if !fires {
            return None;
        }
        Some(Fall { equity, floor, peak: self.peak })
    }
}

#[cfg(test)]
mod tests {
    use super::{Fall, Portfolio};

    fn read(json: &str) -> Portfolio {
        Portfolio::from_json(json.as_bytes(), 2).unwrap()
    }

    #[test]
    fn test_portfolio_fall_through_the_floor_fires_once() {
        // 50 + 10 x mark; peak 150 at mark 10; floor 150 x 0.8 = 120, which is mark 7.
        let json = r#"{"cash":50,"holdings":[[1,10]],"peak":100,"max_drawdown":0.2}"#;
        let mut portfolio = read(json);
        assert_eq!(portfolio.equity(), None);
        assert_eq!(portfolio.revalue(|_| 10.0), None);
        assert_eq!(portfolio.equity(), Some((150.0, 150.0)));
        assert_eq!(portfolio.revalue(|_| 7.0), None);
        let fall = portfolio.revalue(|_| 6.99).unwrap();
        assert!((fall.equity - 119.9).abs() < 1e-12);
        assert_eq!(fall, Fall { floor: 120.0, peak: 150.0, ..fall });
        assert_eq!(portfolio.revalue(|_| 1.0), None);
    }

    #[test]
    fn test_portfolio_with_a_holding_without_mark_has_no_equity() {
        let mut portfolio =
            read(r#"{"cash":50,"holdings":[[0,0],[1,10]],"peak":100,"max_drawdown":null}"#);
        assert!(portfolio.holds(1) && !portfolio.holds(0));
        portfolio.revalue(|_| 0.0);
        assert_eq!(portfolio.equity(), None);
    }

    #[test]
    fn test_portfolio_out_of_range_names_the_field() {
        let error = |json: &str| Portfolio::from_json(json.as_bytes(), 2).unwrap_err().to_string();
        assert_eq!(
            error(r#"{"cash":1,"holdings":[[2,1]],"peak":1,"max_drawdown":null}"#),
            "holdings.instrument is 2, must be below 2"
        );
        assert_eq!(
            error(r#"{"cash":1,"holdings":[],"peak":1,"max_drawdown":1.5}"#),
            "max_drawdown is 1.5, must be in 0..=1, or null"
        );
    }
}
