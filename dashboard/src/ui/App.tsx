import { h, Fragment, Component, type ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { PriceChart } from '../chart/PriceChart';
import { stale } from '../state/store';
import { Asking } from './Asking';
import { DetailPanel } from './DetailPanel';
import { Footer } from './Footer';
import { Header } from './Header';
import { Instruments } from './Instruments';
import { KeyDialog } from './KeyDialog';
import { Notices } from './Notices';
import { page, showPage, TRADING } from './pages';
import { RiskPanel } from './RiskPanel';
import { Tabs } from './Tabs';
import { VotesPanel } from './VotesPanel';

export function App() {
  return (
    <Guard>
      <a class="skip" href="#held">Skip to positions</a>
      <Header />
      <Pages />
      <Footer />
      <DetailPanel />
      <Asking />
      <KeyDialog />
      <Notices />
    </Guard>
  );
}

const PAGES = ['Instruments', 'Trading', 'Why and risk'] as const;

/** Three columns on a desk; on a phone three pages, one swipe apart. */
function Pages() {
  const track = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // The middle page is the first one seen
    if (track.current) track.current.scrollLeft = track.current.clientWidth;
  }, []);
  const onScroll = (): void => {
    const it = track.current;
    if (it) page.value = Math.round(it.scrollLeft / Math.max(1, it.clientWidth));
  };
  return (
    <>
      <main class={`pages ${stale.value ? 'is-stale' : ''}`} ref={track} onScroll={onScroll}>
        <Instruments onChosen={() => showPage(TRADING)} />
        <div class="middle">
          <PriceChart />
          <Tabs />
        </div>
        <aside class="side" aria-label="Why and risk">
          <VotesPanel />
          <RiskPanel />
        </aside>
      </main>
      <nav class="pager" aria-label="Pages">
        {PAGES.map((name, index) => (
          <button type="button" key={name} aria-current={page.value === index ? 'page' : undefined} onClick={() => showPage(index)}>
            {name}
          </button>
        ))}
      </nav>
    </>
  );
}

/** When drawing fails, what is left is the emergency stop and the reason. */
class Guard extends Component<{ children: ComponentChildren }, { failure: string | null }> {
  override state = { failure: null };

  static override getDerivedStateFromError(error: Error): { failure: string } {
    return { failure: error.message };
  }

  override render() {
    if (this.state.failure === null) return this.props.children;
    return (
      <div class="bare" role="alert">
        <strong>utb</strong>
        <span>The page failed: {this.state.failure}. The bot is not affected.</span>
        <button type="button" class="btn" onClick={() => location.reload()}>Reload</button>
        <button type="button" class="btn stop" data-emergency>Emergency stop</button>
      </div>
    );
  }
}
