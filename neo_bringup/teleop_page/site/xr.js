// A headset: poses of controllers, or the 25 joints of each hand, and where the head looks.

const JOINTS = ["wrist", "thumb-metacarpal", "thumb-phalanx-proximal", "thumb-phalanx-distal", "thumb-tip",
  ...["index", "middle", "ring", "pinky"].flatMap((finger) =>
    ["metacarpal", "phalanx-proximal", "phalanx-intermediate", "phalanx-distal", "tip"].map(
      (joint) => `${finger}-finger-${joint}`))];
const TRIGGER = 0, SQUEEZE = 1, STOP = 5; // buttons of a controller: STOP is B or Y

export class Headset {
  // `hold`: what else is held; `tell(message, time)`: sends; `stop()`: STOP; `ended()`: the headset is off
  constructor(hold, tell, stop, ended) {
    Object.assign(this, {hold, tell, stop, ended});
    this.session = null;
    this.stopDown = false;
  }

  static async kind() { // what this browser can do: immersive-ar shows the room, immersive-vr does not
    for (const kind of ["immersive-ar", "immersive-vr"]) {
      if (await navigator.xr?.isSessionSupported(kind).catch(() => false)) return kind;
    }
    return null;
  }

  async begin() {
    const kind = await Headset.kind();
    const session = await navigator.xr.requestSession(kind, {optionalFeatures: ["hand-tracking", "local-floor"]});
    if (window.XRWebGLLayer) {
      const gl = document.createElement("canvas").getContext("webgl", {xrCompatible: true});
      session.updateRenderState({baseLayer: new XRWebGLLayer(session, gl)});
    }
    this.space = await session.requestReferenceSpace("local");
    this.session = session;
    session.addEventListener("end", () => {
      this.session = null;
      this.ended();
    });
    session.requestAnimationFrame((time, frame) => this.step(time, frame));
  }

  end() {
    this.session?.end();
  }

  step(time, frame) {
    if (!this.session) return;
    this.session.requestAnimationFrame((t, f) => this.step(t, f));
    const hands = {};
    let stop = false;
    for (const source of this.session.inputSources) {
      const side = {left: "l", right: "r"}[source.handedness];
      const hand = side && (source.hand ? this.fingers(source, frame) : this.controller(source, frame));
      if (hand) hands[side] = {...this.chosen(side), ...hand};
      stop ||= Boolean(source.gamepad?.buttons[STOP]?.pressed);
    }
    if (stop && !this.stopDown) this.stop();
    this.stopDown = stop;
    const {keys, pad, clutch} = this.hold.held();
    this.tell({kind: "xr", hands, look: this.look(frame), keys, pad, clutch}, time);
  }

  chosen(side) {
    const {grasp, width, give} = this.hold.hands[side];
    return {grasp, width, give};
  }

  controller(source, frame) {
    const pose = source.gripSpace && frame.getPose(source.gripSpace, this.space);
    if (!pose) return null;
    const buttons = source.gamepad?.buttons ?? [];
    return {...placed(pose), clutch: Boolean(buttons[SQUEEZE]?.pressed), trigger: buttons[TRIGGER]?.value ?? 0};
  }

  fingers(source, frame) { // all of a hand or nothing: half a hand is none
    const poses = JOINTS.map((name) => {
      const joint = source.hand.get(name);
      return joint && frame.getJointPose(joint, this.space);
    });
    if (poses.some((pose) => !pose)) return null;
    return {...placed(poses[0]), clutch: false, points: poses.map((pose) => xyz(pose.transform.position))};
  }

  look(frame) {
    const pose = frame.getViewerPose(this.space);
    if (!pose) return null;
    const {x, y, z, w} = pose.transform.orientation; // where its -z points
    return [-2 * (x * z + w * y), -2 * (y * z - w * x), -(1 - 2 * (x * x + y * y))];
  }

  feel(side, strength) {
    for (const source of this.session?.inputSources ?? []) {
      if (source.handedness?.[0] === side) source.gamepad?.hapticActuators?.[0]?.pulse(strength, 60);
    }
  }
}

function xyz({x, y, z}) {
  return [x, y, z];
}

function placed({transform}) {
  const {x, y, z, w} = transform.orientation;
  return {position: xyz(transform.position), quaternion: [x, y, z, w]};
}
