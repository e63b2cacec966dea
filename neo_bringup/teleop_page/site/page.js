// Joins the link, what is held, the headset, and what is shown.

import {Hold} from "./hold.js";
import {Link} from "./link.js";
import {Headset} from "./xr.js";

const PERIOD = 20; // ms between two frames
const SHOWN = 5; // refusals that stay in sight
const FULL = 20; // N that fill a bar and shake a pad with full strength
const find = (selector) => document.querySelector(selector);
const SIDES = {l: "Left hand", r: "Right hand"};
let me = "", words = "", driving = false;

for (const section of document.querySelectorAll(".hand")) {
  section.append(find("#hand").content.cloneNode(true));
  section.querySelector("h2").textContent = SIDES[section.dataset.side];
}
const hold = new Hold(() => tell());
hold.listen(document);
const link = new Link({hello, status, refused, picture, lost});
const headset = new Headset(hold, (message, time) => driving && link.frame(message, time), stop, () => {});

setInterval(tell, PERIOD);

function tell() {
  if (driving && !headset.session) link.frame({kind: "held", ...hold.held()});
}

function stop() {
  link.say({kind: "press", button: "stop"});
}
for (const button of ["stop", "reset", "stand", "cancel"]) {
  find(`#${button}`).addEventListener("click", () => link.say({kind: "press", button}));
}
// a space that holds on must press no button
addEventListener("click", (event) => event.target.closest("button, input:not([type=number])")?.blur(), true);
addEventListener("change", (event) => event.target.blur(), true);
addEventListener("keydown", (event) => event.key === "Escape" && !driving && stop());
find("#begin").addEventListener("submit", (event) => {
  event.preventDefault();
  link.say({kind: "begin", agreed: event.submitter.value === "recorded" ? words : ""});
});
find("#end").addEventListener("click", () => link.say({kind: "end"}));
find("#headset").addEventListener("click", () => headset.begin().catch((error) => note(`headset: ${error.message}`)));
Headset.kind().then((kind) => (find("#headset").hidden = !kind));

function hello(message) {
  me = message.name;
  words = message.consent.id;
  find("#words").textContent = message.consent.words;
  for (const list of document.querySelectorAll(".grasp")) {
    const chosen = list.value || "medium_wrap";
    list.replaceChildren(...message.grasps.map((name) => new Option(name.replaceAll("_", " "), name)));
    list.value = chosen;
  }
  const rows = [["Keys", message.keys], ["Gamepad", message.pad]].flatMap(([title, table]) => [
    element("h2", title), ...table.map(([key, does]) => {
      const row = element("div", ` ${does}`);
      row.prepend(element("kbd", key));
      return row;
    })]);
  find("#help").replaceChildren(...rows);
}

function status(now) {
  show("link", "ok", "linked");
  find("#lost").hidden = true;
  show("robot", now.robot, now.robot.toUpperCase());
  driving = now.session?.who === me && now.session.ready;
  const who = now.session === null ? "nobody drives" : now.session.who === me ? "you drive" : `${now.session.who} drives`;
  show("session", now.session ? "drives" : "", who);
  const {state, seconds, path} = now.recording;
  show("recording", state, {off: "not recorded", on: `RECORDING ${seconds.toFixed(0)} s`, starting: "recording begins",
    failed: "not recorded"}[state]);
  find("#begin").hidden = now.session !== null;
  find("#driving").hidden = now.session?.who !== me;
  find("#ended").textContent = [now.ended && `Session ended: ${now.ended}.`, path && `Recorded in ${path}.`]
    .filter(Boolean).join(" ");
  find("#reason").textContent = [now.missing, now.reason, ...now.refused, now.note].filter(Boolean).join("; ");
  const device = headset.session ? "headset" : hold.padUsed ? "gamepad, keys, mouse" : "keys, mouse";
  find("#device").textContent = device;
  for (const section of document.querySelectorAll(".hand")) showHand(section, now);
}

function showHand(section, now) {
  const side = section.dataset.side, clutch = now.clutches[side], hand = now.hands[side];
  const chip = section.querySelector(".clutch");
  chip.dataset.state = clutch.engaged ? "engaged" : "off";
  chip.textContent = clutch.engaged ? "HELD" : `${clutch.ready ? "ready" : "not ready"}: ${clutch.reason}`;
  if (!hand) return;
  section.querySelector(".felt").textContent =
    `${`${hand.phase} ${hand.grasp.replaceAll("_", " ")}`.trim()}, ${hand.contacts} pads touch, slip ${Math.round(100 * hand.slip)} %`;
  const bars = Object.entries({"all pads": hand.force, ...hand.pads}).flatMap(([name, force]) => {
    const bar = element("div", ""), inner = element("i", "");
    inner.style.width = `${Math.min((100 * force) / FULL, 100)}%`;
    bar.append(inner);
    return [element("span", name), bar, element("span", `${force.toFixed(1)} N`)];
  });
  section.querySelector(".bars").replaceChildren(...bars);
  const strength = Math.min(hand.force / FULL + hand.slip, 1);
  if (clutch.engaged && strength > 0.05) feel(side, strength);
}

function feel(side, strength) { // forces of the pads, where the device can shake
  headset.feel(side, strength);
  const magnitude = side === "l" ? {strongMagnitude: strength} : {weakMagnitude: strength};
  hold.gamepad?.vibrationActuator?.playEffect?.("dual-rumble", {duration: 80, ...magnitude});
}

function refused({reason}) {
  note(reason);
}

function note(text) {
  const log = find("#log");
  if (log.firstChild?.textContent === text) return;
  log.prepend(element("li", text));
  while (log.childElementCount > SHOWN) log.lastChild.remove();
}

async function picture(bytes) {
  const image = await createImageBitmap(new Blob([bytes], {type: "image/jpeg"})).catch(() => null);
  if (!image) return;
  const eye = find("#eye");
  [eye.width, eye.height] = [image.width, image.height];
  eye.getContext("2d").drawImage(image, 0, 0);
  image.close();
}

function lost() {
  driving = false;
  hold.drop();
  headset.end();
  show("link", "lost", "NO LINK");
  find("#lost").hidden = false;
}

function show(id, state, text) {
  const chip = document.getElementById(id);
  chip.dataset.state = state;
  chip.textContent = text;
}

function element(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}
