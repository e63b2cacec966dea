// What the operator holds down on the page: keys, a gamepad, dragged handles, sliders. Raw, without meaning:
// the server knows what a key or a stick does (neo_teleop/devices).

const METRES = 0.001; // of a hand for a pixel of a handle's way
const RADIANS = 0.006; // the same for turns and the eyes
const EYES = [1.4, 0.9]; // rad, furthest to the side and up
const DRAGS = { // pad → [which, axis, of x or y, sign]
  flat: [["by", 0, "y", -1], ["by", 1, "x", -1]],
  high: [["by", 2, "y", -1]],
  turn: [["turned", 2, "x", -1], ["turned", 1, "y", 1]],
  roll: [["turned", 0, "x", 1], ["turned", 0, "y", 1]],
};

export class Hold {
  // `changed()`: something went down or up; however short, that must be told
  constructor(changed) {
    this.changed = changed;
    this.keys = new Set();
    this.hands = {l: blank(), r: blank()};
    this.gaze = null;
    this.padUsed = false;
  }

  listen(root) {
    addEventListener("keydown", (event) => {
      if (event.target.closest("input, select, button") || event.ctrlKey || event.metaKey) return;
      const key = event.key.toLowerCase();
      if (key === " " || key.startsWith("arrow")) event.preventDefault();
      if (event.repeat || this.keys.size >= 10) return;
      this.keys.add(key);
      this.changed();
    });
    addEventListener("keyup", (event) => {
      if (this.keys.delete(event.key.toLowerCase())) this.changed();
    });
    for (const name of ["blur", "pagehide"]) addEventListener(name, () => this.drop());
    document.addEventListener("visibilitychange", () => this.drop());
    for (const section of root.querySelectorAll(".hand")) this.listenHand(section);
    drag(root.querySelector("#eye"), {
      move: (x, y) => {
        const [left, up] = this.gaze ?? [0, -0.5];
        this.gaze = [clip(left + RADIANS * x, EYES[0]), clip(up + RADIANS * y, EYES[1])];
      },
    });
  }

  listenHand(section) {
    const hand = this.hands[section.dataset.side];
    for (const pad of section.querySelectorAll(".pad")) {
      const handle = pad.querySelector("i");
      let way = [0, 0];
      drag(pad, {
        down: () => {
          hand.holding.add(pad);
          pad.classList.add("held");
          this.changed();
        },
        move: (x, y) => {
          way = [way[0] + x, way[1] + y];
          handle.style.transform = `translate(${clip(way[0], 50)}px, ${clip(way[1], 50)}px)`;
          for (const [which, axis, of, sign] of DRAGS[pad.dataset.drag]) {
            hand[which][axis] += sign * (of === "x" ? x : y) * (which === "by" ? METRES : RADIANS);
          }
        },
        up: () => {
          hand.holding.delete(pad);
          pad.classList.remove("held");
          handle.style.transform = "";
          way = [0, 0];
          this.changed();
        },
      });
    }
    const slider = section.querySelector(".trigger");
    slider.addEventListener("pointerdown", () => hand.holding.add(slider));
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
      slider.addEventListener(name, () => hand.holding.delete(slider));
    }
    slider.addEventListener("input", () => (hand.trigger = Number(slider.value)));
    const choose = () => {
      const width = Number(section.querySelector(".width").value);
      hand.width = Number.isFinite(width) ? Math.min(Math.max(width, 0), 0.3) : 0.06;
      hand.grasp = section.querySelector(".grasp").value;
      hand.give = section.querySelector(".give").checked;
    };
    section.addEventListener("change", choose);
    this.chooseAll = [...(this.chooseAll ?? []), choose];
  }

  drop() { // what is not seen any more is not held any more
    this.keys.clear();
    for (const hand of Object.values(this.hands)) hand.holding.clear();
  }

  pad() { // the first gamepad in use, in the standard mapping
    const pads = [...(navigator.getGamepads?.() ?? [])].filter((pad) => pad?.mapping === "standard");
    const pad = pads[0];
    this.gamepad = pad ?? null;
    if (!pad) return null;
    const axes = [...pad.axes].slice(0, 4);
    const buttons = Array.from({length: 17}, (_, i) => pad.buttons[i]?.value ?? 0);
    this.padUsed ||= buttons.some(Boolean) || axes.some((axis) => Math.abs(axis) > 0.3);
    return this.padUsed ? {axes, buttons} : null;
  }

  // For both kinds of message: what is held down.
  held() {
    const pick = (name) => Object.fromEntries(Object.entries(this.hands).map(([s, hand]) => [s, hand[name]]));
    const sides = (test) => Object.keys(this.hands).filter((side) => test(this.hands[side]));
    const message = {
      keys: [...this.keys], pad: this.pad(), clutch: sides((hand) => hand.holding.size > 0),
      give: sides((hand) => hand.give), by: pick("by"), turned: pick("turned"), grasp: pick("grasp"),
      width: pick("width"), gaze: this.gaze,
    };
    const pulled = Object.entries(this.hands).filter(([, hand]) => hand.trigger !== null);
    message.trigger = Object.fromEntries(pulled.map(([side, hand]) => [side, hand.trigger]));
    return message;
  }
}

function blank() {
  return {by: [0, 0, 0], turned: [0, 0, 0], trigger: null, grasp: "medium_wrap", width: 0.06, give: false,
    holding: new Set()};
}

function clip(x, most) {
  return Math.min(Math.max(x, -most), most);
}

function drag(element, {down = () => {}, move, up = () => {}}) {
  let last = null;
  element.addEventListener("pointerdown", (event) => {
    element.setPointerCapture(event.pointerId);
    last = [event.clientX, event.clientY];
    down();
  });
  element.addEventListener("pointermove", (event) => {
    if (last === null) return;
    move(event.clientX - last[0], event.clientY - last[1]);
    last = [event.clientX, event.clientY];
  });
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
    element.addEventListener(name, () => {
      if (last !== null) up();
      last = null;
    });
  }
}
