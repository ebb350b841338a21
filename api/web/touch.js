/** What hands do with the drawing: pointer, wheel, pinch and keys. */

const DRAG_PX = 4;
const WHEEL = 0.0016;
const PAN_PX = 90;

/**
 * @typedef {object} Hands
 * @property {(block: import("./tangle.js").Block|null, byKey: boolean) => void} select
 * @property {(block: import("./tangle.js").Block|null, px: number, py: number) => void} hover
 * @property {() => void} moved the view was taken hold of
 * @property {() => void} toggle pause or follow
 * @property {() => void} follow
 * @property {() => void} fit
 */

/** @param {import("./picture.js").Picture} picture @param {import("./view.js").View} view @param {Hands} hands */
export function listenToPointer(picture, view, hands) {
  const { canvas } = picture;
  /** @type {Map<number, {x: number, y: number}>} */
  const down = new Map();
  let travelled = 0;
  // What was under the pointer when it went down: by the time it goes up a following picture has moved on.
  let meant = null;
  /** @type {{x: number, y: number, type: string}|null} where the pointer rests above the picture */
  let resting = null;

  // Blocks move under a pointer that rests.
  const look = () => {
    const block = resting && picture.at(resting.x, resting.y, resting.type);
    canvas.classList.toggle("over", Boolean(block));
    hands.hover(block, resting?.x ?? 0, resting?.y ?? 0);
  };
  picture.onFrame = () => resting && look();

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    down.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    if (down.size === 1) {
      travelled = 0;
      meant = picture.at(event.offsetX, event.offsetY, event.pointerType);
    }
  });

  canvas.addEventListener("pointermove", (event) => {
    const before = down.get(event.pointerId);
    if (!before) {
      const { offsetX: x, offsetY: y, pointerType: type } = event;
      resting = type === "touch" ? null : { x, y, type };
      look();
      return;
    }
    const place = { x: event.offsetX, y: event.offsetY };
    travelled += Math.hypot(place.x - before.x, place.y - before.y);
    if (travelled > DRAG_PX) {
      resting = null;
      look();
      canvas.classList.add("dragging");
      if (down.size === 2) pinch(down, event.pointerId, place, view);
      else view.pan(place.x - before.x, place.y - before.y);
      hands.moved();
    }
    down.set(event.pointerId, place);
  });

  const up = (event) => {
    if (!down.delete(event.pointerId)) return;
    canvas.classList.remove("dragging");
    if (event.type === "pointerup" && travelled <= DRAG_PX) {
      hands.select(meant, false);
    }
  };
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", up);
  canvas.addEventListener("pointerleave", () => {
    resting = null;
    look();
  });

  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      // A wheel that turns sideways, or one with shift, moves along the Tangle.
      const along = event.shiftKey ? event.deltaY : event.deltaX;
      if (Math.abs(along) > Math.abs(event.shiftKey ? 0 : event.deltaY)) view.pan(-along, 0);
      else view.zoom(Math.exp(-event.deltaY * WHEEL * (event.deltaMode ? 20 : 1)), event.offsetX, event.offsetY);
      hands.moved();
    },
    { passive: false },
  );
}

function pinch(down, moving, place, view) {
  const [other] = [...down].filter(([id]) => id !== moving).map(([, at]) => at);
  const before = down.get(moving);
  const was = Math.hypot(before.x - other.x, before.y - other.y);
  const is = Math.hypot(place.x - other.x, place.y - other.y);
  view.hold();
  view.zoom(is / Math.max(was, 1), (place.x + other.x) / 2, (place.y + other.y) / 2);
}

/** @param {import("./picture.js").Picture} picture @param {import("./view.js").View} view @param {Hands} hands */
export function listenToKeys(picture, view, hands) {
  picture.canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const act = KEYS[event.key];
    if (!act) return;
    event.preventDefault();
    act(picture, view, hands);
  });
}

const KEYS = {
  "+": (_, view, hands) => zoom(view, hands, 1.3),
  "=": (_, view, hands) => zoom(view, hands, 1.3),
  "-": (_, view, hands) => zoom(view, hands, 1 / 1.3),
  0: (_, __, hands) => hands.fit(),
  " ": (_, __, hands) => hands.toggle(),
  End: (_, __, hands) => hands.follow(),
  Home: (picture, view, hands) => {
    const [oldest] = picture.tangle.blocks;
    if (oldest) view.reveal(oldest);
    hands.moved();
  },
  Escape: (_, __, hands) => hands.select(null, true),
  Enter: (picture, _, hands) => {
    const newest = picture.selected ?? picture.tangle.blocks.at(-1);
    if (newest) hands.select(newest, true);
  },
  ArrowLeft: (picture, view, hands) => walk(picture, view, hands, (block) => nearest(block, block.parents), PAN_PX, 0),
  ArrowRight: (picture, view, hands) =>
    walk(picture, view, hands, (block) => nearest(block, block.children), -PAN_PX, 0),
  ArrowUp: (picture, view, hands) => walk(picture, view, hands, (block) => beside(picture, block, -1), 0, PAN_PX),
  ArrowDown: (picture, view, hands) => walk(picture, view, hands, (block) => beside(picture, block, 1), 0, -PAN_PX),
};

function zoom(view, hands, factor) {
  view.zoom(factor);
  hands.moved();
}

function walk(picture, view, hands, next, dx, dy) {
  if (picture.selected) {
    const block = next(picture.selected);
    if (block) hands.select(block, true);
    return;
  }
  view.pan(dx, dy);
  hands.moved();
}

function nearest(block, others) {
  return others.reduce(
    (best, one) => (best && Math.abs(best.y - block.y) <= Math.abs(one.y - block.y) ? best : one),
    null,
  );
}

function beside(picture, block, step) {
  const { blocks } = picture.tangle;
  const place = blocks.indexOf(block);
  return place < 0 ? null : (blocks[place + step] ?? null);
}
