// A headset that sees a right hand: `navigator.xr` as WebXR has it, with 25 joints that `xr.curl` bends
// (0: flat, 1: a fist). `xr.run()` gives a frame each 20 ms; `xr.step(time)` gives one.
const bones = (lengths, x, curl, spread) => {
  const points = [];
  let [y, z, angle] = [0, 0, 0];
  for (const [i, length] of lengths.entries()) {
    if (i > 1) angle += 1.3 * curl;
    z -= length * Math.cos(angle);
    y -= length * Math.sin(angle);
    points.push([x * (i ? 1 : 0.6) + spread * z, y, z]);
  }
  return points;
};
const joints = (curl) => [
  [0, 0, 0],
  ...bones([0.02, 0.045, 0.032, 0.025], -0.035, 0.4 * curl, 0.6),
  ...[[-0.025, 0.068, 0.040, 0.024, 0.022], [-0.004, 0.065, 0.044, 0.028, 0.023],
    [0.016, 0.059, 0.040, 0.026, 0.023], [0.034, 0.054, 0.032, 0.019, 0.021]].flatMap(
    ([x, ...lengths]) => bones([0.025, ...lengths], x, curl, 0)),
];
const at = ([x, y, z]) => ({
  transform: {position: {x, y: y + 1.2, z: z - 0.3}, orientation: {x: 0, y: 0, z: 0, w: 1}}});
const NAMES = ["wrist", "thumb-metacarpal", "thumb-phalanx-proximal", "thumb-phalanx-distal", "thumb-tip",
  ...["index", "middle", "ring", "pinky"].flatMap((finger) =>
    ["metacarpal", "phalanx-proximal", "phalanx-intermediate", "phalanx-distal", "tip"].map(
      (joint) => `${finger}-finger-${joint}`))];

class FakeSession extends EventTarget {
  constructor() {
    super();
    this.inputSources = [{handedness: "right", hand: new Map(NAMES.map((name, i) => [name, {i}]))}];
    this.next = null;
  }
  requestReferenceSpace() { return Promise.resolve({}); }
  updateRenderState() {}
  requestAnimationFrame(call) { this.next = call; }
  end() { this.dispatchEvent(new Event("end")); }
}
window.XRWebGLLayer = undefined;
window.xr = {
  curl: 0,
  joints,
  session: null,
  step(time) {
    const points = joints(this.curl), call = this.session?.next;
    call?.(time, {getJointPose: ({i}) => at(points[i]), getViewerPose: () => at([0, 0.4, 0.3])});
  },
  run() { setInterval(() => this.step(performance.now()), 20); },
};
Object.defineProperty(navigator, "xr", {value: {
  isSessionSupported: async () => true,
  requestSession: async () => (window.xr.session = new FakeSession()),
}});
