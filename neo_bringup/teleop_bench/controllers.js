// A headset with two controllers for a page without one: `navigator.xr` as WebXR has it. `xr.step(seen, time,
// hands, look)` waits until the page may drive the robot, which it shows at `seen` (s), and gives it one frame. A
// page that has not yet sent the one before would drop it, so that is waited for, too.
let shown = -1, socket = null;
const Plain = window.WebSocket;
window.WebSocket = class extends Plain {
  constructor(...given) {
    super(...given);
    socket = this;
    this.addEventListener("message", ({data}) => {
      if (typeof data !== "string") return;
      const message = JSON.parse(data);
      if (message.kind === "status") shown = message.session?.ready ? message.time : -1;
    });
  }
};
class Session extends EventTarget {
  inputSources = ["left", "right"].map((handedness) => ({
    handedness, gripSpace: handedness[0], gamepad: {buttons: [{value: 0}, {pressed: false}]}}));
  async requestReferenceSpace() { return {}; }
  requestAnimationFrame(call) { this.next = call; }
  end() { this.dispatchEvent(new Event("end")); }
}
const posed = ([x, y, z], [a, b, c, d]) => ({
  transform: {position: {x, y, z}, orientation: {x: a, y: b, z: c, w: d}}});
window.XRWebGLLayer = undefined;
window.xr = {
  session: null,
  async step(seen, time, hands, look) {
    while (shown < seen || socket.bufferedAmount > 0) await new Promise((resolve) => setTimeout(resolve));
    for (const source of this.session.inputSources) {
      const side = source.handedness[0], hand = hands[side];
      source.gamepad.buttons[0].value = hand.trigger;
      source.gamepad.buttons[1].pressed = hand.clutch;
      const section = document.querySelector(`.hand[data-side="${side}"]`);
      const [grasp, width, give] = [".grasp", ".width", ".give"].map((name) => section.querySelector(name));
      if (grasp.value !== hand.grasp || width.value !== String(hand.width) || give.checked !== hand.give) {
        [grasp.value, width.value, give.checked] = [hand.grasp, String(hand.width), hand.give];
        grasp.dispatchEvent(new Event("change", {bubbles: true}));
      }
    }
    this.session.next(1000 * time, {
      getPose: (side) => posed(hands[side].position, hands[side].quaternion),
      getViewerPose: () => look && posed([0, 0, 0], look),
    });
  },
};
Object.defineProperty(navigator, "xr", {value: {
  isSessionSupported: async () => true,
  requestSession: async () => (window.xr.session = new Session()),
}});
