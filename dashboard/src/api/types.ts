/** What the API answers. Prices and amounts are in whole units, ratios are fractions, null is unknown. */

export type Maybe<T> = T | null | undefined;
export type Side = 'BUY' | 'SELL' | 'HOLD';
export type Timeframe = '1m' | '5m' | '15m' | '1h' | '4h' | '1d';

export interface Summary {
  status: string;
  mode: string;
  simulated_time: Maybe<boolean>;
  /** Market time of what is known. */
  as_of: Maybe<string>;
  /** Wall seconds since the trading process spoke; null: never. */
  age_s: Maybe<number>;
  equity: Maybe<number>;
  equity_start_of_day: Maybe<number>;
  today: Maybe<number>;
  today_pct: Maybe<number>;
  drawdown: Maybe<number>;
  max_drawdown_limit: Maybe<number>;
  heat: Maybe<number>;
  heat_limit: Maybe<number>;
  risk_at_stop: Maybe<number>;
  risk_at_stop_limit: Maybe<number>;
  cash: Maybe<number>;
  positions: Maybe<number>;
  open_orders: Maybe<number>;
  finished: Maybe<boolean>;
  healthy: Maybe<boolean>;
  reasons: Maybe<string[]>;
  version: Maybe<string>;
  timeframe: Maybe<string>;
}

export interface Instrument {
  symbol: string;
  price: Maybe<number>;
  price_decimals: Maybe<number>;
  change_24h: Maybe<number>;
  age_s: Maybe<number>;
  stale: Maybe<boolean>;
  source: Maybe<string>;
  liquid: Maybe<boolean>;
  position: Maybe<string>;
  note: Maybe<string>;
}

export interface Bar {
  /** Open of the bar, Unix seconds. */
  time: number;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: Maybe<number>;
}

export interface Bars {
  symbol: string;
  timeframe: string;
  bars: Bar[];
  forming: Maybe<Bar>;
}

export interface Marker {
  time: number;
  side: 'BUY' | 'SELL';
  price: Maybe<number>;
  size: Maybe<number>;
  reason: Maybe<string>;
  trade_id: Maybe<string | number>;
  strategy: Maybe<string>;
}

export interface Condition {
  name: string;
  held: Maybe<boolean>;
  op?: Maybe<string>;
  value?: Maybe<number>;
  limit?: Maybe<number>;
}

export interface Vote {
  strategy: string;
  side: Side;
  latest?: Maybe<Side>;
  strength: Maybe<number>;
  confidence: Maybe<number>;
  weight: Maybe<number>;
  base_weight?: Maybe<number>;
  stop?: Maybe<number>;
  target?: Maybe<number>;
  conditions: Condition[];
  abstains?: Maybe<string>;
}

export interface Decided {
  side: Maybe<Side>;
  hold: Maybe<string>;
  lead?: Maybe<string>;
  leaning?: Maybe<string>;
  consensus: Maybe<number>;
  min_consensus: Maybe<number>;
  confidence: Maybe<number>;
  min_confidence: Maybe<number>;
  participation: Maybe<number>;
  min_participation: Maybe<number>;
  sentence: Maybe<string>;
}

export interface Votes {
  symbol: string;
  bar_time: Maybe<string | number>;
  timeframe: Maybe<string>;
  regime?: Maybe<string>;
  votes: Vote[];
  decision: Maybe<Decided>;
}

export interface Position {
  id: string;
  symbol: string;
  side: Maybe<string>;
  size: Maybe<number>;
  entry_price: Maybe<number>;
  current_price: Maybe<number>;
  pnl: Maybe<number>;
  pnl_pct: Maybe<number>;
  strategy: Maybe<string>;
  stop: Maybe<number>;
  target: Maybe<number>;
  opened_at: Maybe<string>;
  risk_at_stop: Maybe<number>;
  value?: Maybe<number>;
  age_s?: Maybe<number>;
  stale?: Maybe<boolean>;
}

export interface Order {
  id: string;
  symbol: string;
  side: string;
  status: string;
  size: Maybe<number>;
  amount: Maybe<number>;
  reason: Maybe<string>;
  created_at: Maybe<string>;
  updated_at: Maybe<string>;
  attempts: Maybe<number>;
}

export interface Trade {
  id: string;
  symbol: string;
  side: string;
  size: Maybe<number>;
  price: Maybe<number>;
  exit_price: Maybe<number>;
  exit_reason: Maybe<string>;
  fees: Maybe<number>;
  costs?: Maybe<Record<string, number | null>>;
  execution_ms?: Maybe<number>;
  r_multiple?: Maybe<number>;
  slippage_bps: Maybe<number>;
  timestamp: Maybe<string>;
  opened_at: Maybe<string>;
  strategy: Maybe<string>;
  pnl: Maybe<number>;
}

export interface LifeEvent {
  seq: number;
  timestamp: Maybe<string>;
  /** decision, order, fill, trigger_armed, trigger_moved, trigger_fired or refused. */
  kind: string;
  text: string;
  data: Record<string, unknown>;
}

/** A trade, or an open position, from its decision to its last fill. */
export interface TradeDetail {
  id: string;
  symbol: string;
  strategy: Maybe<string>;
  open: boolean;
  trade: Maybe<Trade>;
  timeline: LifeEvent[];
}

export interface Decision {
  id?: Maybe<string>;
  symbol: string;
  timestamp: Maybe<string>;
  side: Maybe<string>;
  outcome: Maybe<string>;
  lead?: Maybe<string>;
  price?: Maybe<number>;
  stop?: Maybe<number>;
  target?: Maybe<number>;
  consensus?: Maybe<number>;
  confidence?: Maybe<number>;
  participation?: Maybe<number>;
  min_consensus?: Maybe<number>;
  min_confidence?: Maybe<number>;
  min_participation?: Maybe<number>;
  votes?: Maybe<DecisionVote[]>;
  sentence?: Maybe<string>;
}

/** A vote inside a decision; conditions by name, or one letter each in a timeline. */
export interface DecisionVote {
  strategy: string;
  side: Side;
  strength: Maybe<number>;
  confidence: Maybe<number>;
  weight: Maybe<number>;
  conditions: Record<string, Maybe<boolean>> | string;
}

export interface Refusal {
  id?: Maybe<string>;
  code: string;
  limit: Maybe<number>;
  value: Maybe<number>;
  order_value: Maybe<number>;
  message: Maybe<string>;
  symbol: Maybe<string>;
  timestamp: Maybe<string>;
}

export interface Alert {
  id: string | number;
  severity: string;
  category: Maybe<string>;
  title: string;
  message: Maybe<string>;
  timestamp: Maybe<string>;
  data: Maybe<Record<string, unknown>>;
}

export interface EquityPoint {
  time: string | number;
  equity: Maybe<number>;
  drawdown: Maybe<number>;
}

export interface Stage {
  stage: string;
  count: Maybe<number>;
  p50_us: Maybe<number>;
  p99_us: Maybe<number>;
  max_us: Maybe<number>;
}

export interface Feed {
  source: string;
  status: string;
  reason: Maybe<string>;
  age_s: Maybe<number>;
  connected: Maybe<boolean>;
  frames: Maybe<number>;
  items: Maybe<number>;
  rejected: Maybe<Record<string, number>>;
  reconnects: Maybe<number>;
  requests: Maybe<number>;
  latency_p50_ms?: Maybe<number>;
  latency_p99_ms?: Maybe<number>;
  request_p50_ms?: Maybe<number>;
  request_p99_ms?: Maybe<number>;
}

export interface Breaker {
  kind: string;
  /** null: the whole portfolio. */
  symbol: Maybe<string>;
  since: Maybe<string>;
  /** null: until its cause ends. */
  until: Maybe<string>;
  value: Maybe<number>;
  limit: Maybe<number>;
  cause: Maybe<string>;
}

export interface Component {
  name: string;
  state: string;
  since: Maybe<string>;
  reason: Maybe<string>;
  age: Maybe<number>;
}

export interface Performance {
  total_trades: Maybe<number>;
  win_rate: Maybe<number>;
  total_pnl: Maybe<number>;
  sharpe_ratio: Maybe<number>;
  sortino_ratio?: Maybe<number>;
  max_drawdown: Maybe<number>;
  avg_execution_time: Maybe<number>;
  profit_factor?: Maybe<number>;
  expectancy?: Maybe<number>;
  avg_slippage_bps?: Maybe<number>;
}

/** Data of one `market` message. */
export interface Market {
  symbol: string;
  price: Maybe<number>;
  ts: Maybe<string | number>;
  forming: Maybe<Bar>;
  closed?: Maybe<Bar>;
  votes?: Maybe<Vote[]>;
  decision?: Maybe<Decided>;
  timeframe?: Maybe<string>;
}

export interface Envelope {
  channel: string;
  seq: number;
  timestamp: string;
  data: unknown;
}

export interface Accepted {
  status: string;
  command_id?: Maybe<string>;
  seq?: Maybe<number>;
}
