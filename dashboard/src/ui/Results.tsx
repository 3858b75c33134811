import { h } from 'preact';
import { EquityChart } from '../chart/EquityChart';
import { number, percent, signed, DASH } from '../lib/format';
import * as store from '../state/store';

export function Results() {
  const it = store.performanceFigures.value;
  const figures: [string, string][] = [
    ['Trades', number(it?.total_trades, 0)],
    ['Net result', `${signed(it?.total_pnl)}`],
    ['Win rate', percent(it?.win_rate)],
    ['Profit factor', number(it?.profit_factor)],
    ['Expectancy', signed(it?.expectancy)],
    ['Sharpe', number(it?.sharpe_ratio)],
    ['Sortino', number(it?.sortino_ratio)],
    ['Max drawdown', percent(it?.max_drawdown)],
    ['Execution', it?.avg_execution_time == null ? DASH : `${number(it.avg_execution_time, 0)} ms`],
    ['Slippage', it?.avg_slippage_bps == null ? DASH : `${number(it.avg_slippage_bps, 1)} bps`],
  ];
  return (
    <div class="results">
      <EquityChart />
      <dl class="grid-figures">
        {figures.map(([name, value]) => (
          <div key={name}><dt>{name}</dt><dd>{value}</dd></div>
        ))}
      </dl>
    </div>
  );
}
