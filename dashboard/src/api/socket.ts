/** The live connection: opens, subscribes, notices silence, and comes back with a growing wait. */

import { backoff } from '../lib/backoff';
import { readKey } from './key';
import type { Envelope } from './types';

export type Link = 'connecting' | 'live' | 'reconnecting' | 'refused';

export interface Listener {
  onLink(link: Link): void;
  onData(message: Envelope): void;
}

const CHANNELS = ['trades', 'positions', 'performance', 'alerts', 'market'];
const PING_MS = 5000;
/** Silent longer than this, though pinged: the connection is dead, whatever the browser thinks. */
const SILENCE_MS = 15_000;

export class Socket {
  #socket: WebSocket | null = null;
  #attempt = 0;
  #heardAt = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #pinger: ReturnType<typeof setInterval> | null = null;
  #ended = false;

  constructor(private readonly listener: Listener) {}

  start(): void {
    this.#ended = false;
    this.#connect('connecting');
  }

  stop(): void {
    this.#ended = true;
    this.#drop();
  }

  /** Tries at once: a key came, or the network did. */
  retry(): void {
    this.#drop();
    this.#attempt = 0;
    this.start();
  }

  #connect(link: Link): void {
    this.listener.onLink(link);
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const socket = new WebSocket(`${scheme}://${location.host}/ws`);
    this.#socket = socket;
    this.#heardAt = performance.now();
    socket.onopen = () => this.#greet(socket);
    socket.onmessage = (event) => this.#hear(event.data);
    // A failed connection ends with `close` too
    socket.onclose = () => {
      if (this.#socket === socket) this.#again();
    };
    this.#pinger = setInterval(() => this.#check(socket), PING_MS);
  }

  #greet(socket: WebSocket): void {
    const key = readKey();
    if (key) socket.send(JSON.stringify({ action: 'auth', key }));
    socket.send(JSON.stringify({ action: 'subscribe', channels: CHANNELS }));
  }

  #hear(text: unknown): void {
    if (typeof text !== 'string') return;
    let message: Partial<Envelope> & { event?: string; error?: { code?: string } };
    try {
      message = JSON.parse(text) as typeof message;
    } catch {
      console.warn('a message on /ws is no JSON');
      return;
    }
    // A pong is not a sign of life: a server that lost our subscription still gives it
    if (message.event !== 'pong') this.#heardAt = performance.now();
    if (message.event === 'subscribed') {
      this.#attempt = 0;
      this.listener.onLink('live');
    } else if (message.error?.code === 'UNAUTHORIZED' || message.error?.code === 'FORBIDDEN') {
      this.stop();
      this.listener.onLink('refused');
    } else if (message.channel) {
      this.listener.onData(message as Envelope);
    }
  }

  #check(socket: WebSocket): void {
    if (performance.now() - this.#heardAt > SILENCE_MS) this.#again();
    else if (socket.readyState === WebSocket.OPEN) socket.send('{"action":"ping"}');
  }

  #again(): void {
    this.#drop();
    if (this.#ended) return;
    this.listener.onLink('reconnecting');
    const wait = backoff(this.#attempt, 500, 10_000, Math.random());
    this.#attempt += 1;
    this.#timer = setTimeout(() => this.#connect('reconnecting'), wait);
  }

  #drop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    if (this.#pinger) clearInterval(this.#pinger);
    this.#timer = this.#pinger = null;
    const socket = this.#socket;
    this.#socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }
}
