/**
 * The connection to the node: a slice of the Tangle, then the event stream from there, and measurements once a second.
 *
 * Every event has a number, and numbers grow by one. The page remembers the last one and asks for what follows, so a
 * node that was away costs neither a gap nor a repeat. When the node comes back as another one (its first milestone
 * differs, or its numbers are smaller), or so much happened meanwhile that replaying it would show nothing of what is
 * kept, a new slice is taken.
 *
 * A page that nobody sees lets go of its stream after a while: browsers open only six connections to one host, and
 * a few forgotten tabs would take them all. When it is seen again it goes on where it stopped.
 */

/** The address of a path of the node, whatever a proxy has put in front of it.  @param {string} path */
export const at = (path) => new URL(`..${path}`, import.meta.url).href;

const EVENTS = "/api/tangle/v1/events";
const GRAPH = "/api/tangle/v1/graph";
const METRICS = "/api/tangle/v1/metrics";
const INFO = "/api/core/v2/info";
/** the first milestone: no two networks have the same one */
const FIRST = "/api/core/v2/milestones/by-index/1";
const TYPES = ["solid", "referenced", "confidence", "milestone"];

/** blocks of a slice; the node may give fewer */
const SLICE = 1_000;
/** events that are replayed rather than skipped by a new slice */
const REPLAY_MAX = 30_000;
const ANSWER_MS = 8_000;
const POLL_MS = 1_000;
const POLL_HIDDEN_MS = 5_000;
/** out of sight for so long, the page rests */
const REST_AFTER_MS = 30_000;
const RETRY_MS = 500;
const RETRY_MAX_MS = 5_000;
/** silence of the stream after which it is opened again, while the node says that there are events */
const STALLED_MS = 8_000;

/** JSON of an answer; throws an Error with `status` for one that is none.  @param {string} path */
export async function getJson(path) {
  const response = await fetch(at(path), { cache: "no-store", signal: AbortSignal.timeout(ANSWER_MS) });
  if (!response.ok) throw Object.assign(new Error(`${path}: ${response.status}`), { status: response.status });
  return response.json();
}

/**
 * @typedef {object} Listener
 * @property {(slice: object) => void} onSnapshot
 * @property {(event: any, live: boolean) => void} onEvent
 * @property {(metrics: any) => void} onMetrics
 * @property {(info: any) => void} onInfo
 * @property {(state: "connecting"|"catching up"|"live"|"resting"|"lost") => void} onState
 */

export class Source {
  /** @param {Listener} listener */
  constructor(listener) {
    this.listener = listener;
    this.state = "connecting";
    /** @type {number|null} number of the last event taken in */
    this.last = null;
    /** number of the newest event that the node has told of */
    this.newest = 0;
    /** events missed, and events that came twice: both stay 0 */
    this.gaps = 0;
    this.repeats = 0;
    this.slices = 0;
    this._network = null;
    this._liveFrom = 0;
    this._stream = null;
    this._retryMs = RETRY_MS;
    this._timer = 0;
    this._attempt = 0;
    this._heard = 0;
  }

  start() {
    let resting = 0;
    addEventListener("online", () => this.state === "lost" && this._connect());
    // A page that is left may be kept for the way back, stream and all.
    addEventListener("pagehide", () => this.rest());
    addEventListener("pageshow", () => this.state === "resting" && this._connect());
    document.addEventListener("visibilitychange", () => {
      clearTimeout(resting);
      if (document.hidden) resting = setTimeout(() => this.rest(), REST_AFTER_MS);
      else if (this.state === "resting") this._connect();
      else if (this.state === "live") this._poll(this._attempt);
    });
    this._connect();
  }

  /** Let go of the node until the page is seen again. */
  rest() {
    this._attempt += 1;
    this._stream?.close();
    clearTimeout(this._timer);
    this._say("resting");
  }

  /** events that the node has and this page has not */
  get behind() {
    return this.last === null ? 0 : Math.max(0, this.newest - this.last);
  }

  async _connect() {
    clearTimeout(this._timer);
    this._stream?.close();
    const attempt = ++this._attempt;
    try {
      const [info, metrics, first] = await Promise.all([INFO, METRICS, FIRST].map(getJson));
      if (attempt !== this._attempt) return;
      this._meet(info, metrics, JSON.stringify(first.signatures));
      if (this.last === null) {
        const slice = await getJson(`${GRAPH}?limit=${SLICE}`);
        if (attempt !== this._attempt) return;
        this.slices += 1;
        this.last = slice.nodes.at(-1)?.number ?? 0;
        this.listener.onSnapshot(slice);
      }
      this._listen(attempt);
    } catch {
      this._lose(attempt);
    }
  }

  /** Decide whether the node is still the one that the last event came from. */
  _meet(info, metrics, network) {
    const other = this._network !== null && this._network !== network;
    const far = this.last !== null && metrics.eventNumber - this.last > REPLAY_MAX;
    if (other || far || (this.last !== null && metrics.eventNumber < this.last)) this.last = null;
    this._network = network;
    this._liveFrom = metrics.eventNumber;
    this.newest = metrics.eventNumber;
    this.listener.onInfo(info);
    this.listener.onMetrics(metrics);
  }

  _listen(attempt) {
    const stream = new EventSource(at(`${EVENTS}?after=${this.last}&details=true`));
    this._stream = stream;
    this._heard = performance.now();
    stream.onopen = () => {
      this._retryMs = RETRY_MS;
      this._say(this.behind ? "catching up" : "live");
      this._again(attempt, POLL_MS);
    };
    // The browser would connect again by itself, but not after every kind of failure, and not to a node that is
    // another one by now.
    stream.onerror = () => this._lose(attempt);
    for (const type of TYPES) stream.addEventListener(type, (message) => this._take(message));
  }

  _take(message) {
    const event = JSON.parse(message.data);
    this._heard = performance.now();
    if (event.number <= this.last) {
      this.repeats += 1;
      return;
    }
    if (event.number !== this.last + 1) this.gaps += 1;
    this.last = event.number;
    this.newest = Math.max(this.newest, event.number);
    this.listener.onEvent(event, event.number > this._liveFrom);
    if (this.state === "catching up" && this.last >= this._liveFrom) this._say("live");
  }

  async _poll(attempt) {
    clearTimeout(this._timer);
    if (attempt !== this._attempt || this.state === "lost") return;
    try {
      const metrics = await getJson(METRICS);
      if (attempt !== this._attempt) return;
      this.newest = Math.max(metrics.eventNumber, this.last);
      this.listener.onMetrics(metrics);
    } catch {
      this._lose(attempt);
      return;
    }
    if (this.behind && performance.now() - this._heard > STALLED_MS) this._lose(attempt);
    else this._again(attempt, document.hidden ? POLL_HIDDEN_MS : POLL_MS);
  }

  _again(attempt, afterMs) {
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this._poll(attempt), afterMs);
  }

  _lose(attempt) {
    if (attempt !== this._attempt) return;
    this._attempt += 1;
    this._stream?.close();
    this._say("lost");
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this._connect(), this._retryMs);
    this._retryMs = Math.min(2 * this._retryMs, RETRY_MAX_MS);
  }

  _say(state) {
    if (state === this.state) return;
    this.state = state;
    this.listener.onState(state);
  }
}
