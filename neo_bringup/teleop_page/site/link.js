// The connection: what is sent is numbered and says which state of the robot the page shows.

const RETRY = 1000; // ms

export class Link {
  // `on`: hello, status, refused, picture, lost: called with what came
  constructor(on) {
    this.on = on;
    this.seen = null; // plant time (s) of the status that is shown
    this.seq = 0;
    this.connect();
  }

  connect() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = (this.socket = new WebSocket(`${scheme}://${location.host}/ws`));
    socket.binaryType = "arraybuffer";
    socket.onmessage = (event) => {
      if (typeof event.data !== "string") return this.on.picture(event.data);
      const message = JSON.parse(event.data);
      if (message.kind === "status") this.seen = message.time;
      this.on[message.kind]?.(message);
    };
    socket.onclose = () => {
      this.seen = null;
      this.on.lost();
      setTimeout(() => this.connect(), RETRY);
    };
  }

  get open() {
    return this.socket.readyState === WebSocket.OPEN;
  }

  say(message) {
    if (this.open) this.socket.send(JSON.stringify(message));
  }

  // What is held or seen now, at `time` ms of the page's clock.
  frame(message, time = performance.now()) {
    if (!this.open || this.seen === null || this.socket.bufferedAmount > 0) return; // never queue up the past
    this.say({...message, seq: ++this.seq, time: time / 1000, seen: this.seen});
  }
}
