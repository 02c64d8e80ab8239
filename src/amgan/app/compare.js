// Before and after on one picture, with a border to move and zoom up to the photo's own pixels and beyond. Runs once,
// as the body of a function that Gradio gives `element`, `props` and `watch`.
const find = (name) => element.querySelector("." + name);
const [frame, pan, before, after, line, knob] = ["frame", "pan", "before", "after", "line", "knob"].map(find);
const MOST = 8; // screen pixels for a pixel of the photo
const STEP = 1.5, KEY_STEP = 2; // of the zoom; of the border, percent
// The border begins beside the face: on the left half of it, too, one sees at once what a slider does.
let border = 12, zoom = 1, x = 0, y = 0; // x, y: of the picture's corner in the frame, CSS pixels
let size = [1, 1];
const fingers = new Map();
let grip = null; // what a pointer holds: "border" or "picture"

const own = () => size[0] / frame.clientWidth; // the zoom at which a pixel of the photo is one of the page

function lay() {
  const [width, height] = [frame.clientWidth, frame.clientHeight];
  x = Math.min(Math.max(x, width * (1 - zoom)), 0);
  y = Math.min(Math.max(y, height * (1 - zoom)), 0);
  pan.style.transform = "translate(" + x + "px, " + y + "px) scale(" + zoom + ")";
  // The border stands in the frame, whatever part of the picture is under it.
  const at = ((border / 100) * width - x) / (width * zoom);
  after.style.clipPath = "inset(0 0 0 " + 100 * at + "%)";
  line.style.left = border + "%";
  knob.setAttribute("aria-valuenow", Math.round(border));
  knob.setAttribute("aria-valuetext", Math.round(border) + "% before");
  find("percent").textContent = Math.round((100 * zoom) / own()) + "%";
  frame.classList.toggle("zoomed", zoom > 1);
  pan.classList.toggle("pixels", zoom > 1 && zoom / own() >= 4);
}

// Zooms about a point of the frame, which stays where it is.
function zoomTo(wanted, atX = frame.clientWidth / 2, atY = frame.clientHeight / 2) {
  const next = Math.min(Math.max(wanted, 1), Math.max(MOST * own(), 1));
  x = atX - ((atX - x) * next) / zoom;
  y = atY - ((atY - y) * next) / zoom;
  zoom = next;
  lay();
}

function at(event) {
  const box = frame.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

frame.addEventListener("pointerdown", (event) => {
  if (event.button) return;
  frame.setPointerCapture(event.pointerId);
  fingers.set(event.pointerId, at(event));
  grip = event.target === knob || zoom === 1 ? "border" : "picture";
  if (grip === "border" && fingers.size === 1) moveBorder((100 * at(event)[0]) / frame.clientWidth);
});
frame.addEventListener("pointermove", (event) => {
  const last = fingers.get(event.pointerId);
  if (!last) return;
  const now = at(event);
  if (fingers.size === 2) {
    const [other] = [...fingers].filter(([id]) => id !== event.pointerId).map(([, point]) => point);
    const apart = (point) => Math.max(Math.hypot(point[0] - other[0], point[1] - other[1]), 1);
    zoomTo((zoom * apart(now)) / apart(last), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
  } else if (grip === "border") {
    moveBorder((100 * now[0]) / frame.clientWidth);
  } else {
    x += now[0] - last[0];
    y += now[1] - last[1];
    lay();
  }
  fingers.set(event.pointerId, now);
});
for (const name of ["pointerup", "pointercancel"]) {
  frame.addEventListener(name, (event) => { fingers.delete(event.pointerId); });
}
frame.addEventListener("dblclick", (event) => zoomTo(zoom > 1 ? 1 : Math.max(own(), 2), ...at(event)));
// Only with Ctrl, which a trackpad's pinch has too: else the page could not be scrolled with the pointer on the face.
frame.addEventListener("wheel", (event) => {
  if (!event.ctrlKey) return;
  event.preventDefault();
  zoomTo(zoom * Math.exp(-event.deltaY / 300), ...at(event));
}, { passive: false });

function moveBorder(percent) {
  border = Math.min(Math.max(percent, 0), 100);
  lay();
}

knob.addEventListener("keydown", (event) => {
  const to = { ArrowLeft: border - KEY_STEP, ArrowDown: border - KEY_STEP, ArrowRight: border + KEY_STEP,
    ArrowUp: border + KEY_STEP, PageDown: border - 10, PageUp: border + 10, Home: 0, End: 100 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  moveBorder(to);
});
find("in").addEventListener("click", () => zoomTo(zoom * STEP));
find("out").addEventListener("click", () => zoomTo(zoom / STEP));
find("fit").addEventListener("click", () => zoomTo(1));
find("one").addEventListener("click", () => zoomTo(own()));
find("full").addEventListener("click", () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else element.querySelector(".compare").requestFullscreen();
});
find("full").hidden = !document.fullscreenEnabled; // on an iPhone
document.addEventListener("fullscreenchange", () => {
  find("full").textContent = document.fullscreenElement ? "Leave full screen" : "Full screen";
});
new ResizeObserver(() => { if (frame.clientWidth) lay(); }).observe(frame);

function update() {
  const value = props.value;
  if (!value) return;
  const fresh = before.getAttribute("src") !== value.before;
  const next = new Image(), wanted = (after.dataset.wanted = value.after);
  next.onload = () => {
    if (after.dataset.wanted !== wanted) return; // a newer one came before it
    after.src = wanted;
    size = [value.width, value.height];
    frame.style.setProperty("--shape", size[0] / size[1]);
    if (fresh) {
      before.src = value.before;
      zoom = 1;
    }
    lay();
  };
  next.src = wanted;
}
watch("value", update);
update();
