// A brush on the aging map. Runs once, as the body of a function that Gradio gives `element`, `props`, `trigger` and
// `watch`. What was painted is a list of strokes, drawn in colours for the eye and in grey for the model.
const find = (name) => element.querySelector("." + name);
const [stage, face, layers, map, canvas, ring] = ["stage", "face", "layers", "map", "strokes", "ring"].map(find);
const [score, size, strength, undo, clear, said] = ["score", "size", "strength", "undo", "clear", "said"].map(find);
const SEND_AFTER = 150; // milliseconds, so that quick dabs are one picture
const STEP = 0.02, SMALL_STEP = 0.004; // of the canvas's width, by an arrow key

let strokes = [], stroke = null, brush = null; // brush: where the keyboard's is, [x, y] on the canvas
let state = {}, timer = 0, sending = false, again = false;

const erasing = () => element.querySelector("[value=eraser]").checked;
const radius = () => (size.value / 200) * canvas.width;

// Read out; an error is seen too.
function say(text, isError = false) {
  said.textContent = text;
  said.classList.toggle("error", isError);
}

const rgb = (levels) => "rgb(" + levels.map(Math.round).join(" ") + ")";
const grey = (value) => rgb([255 * value, 255 * value, 255 * value]);

function colour(value) {
  const stops = state.colours, at = value * (stops.length - 1), low = Math.min(Math.floor(at), stops.length - 2);
  const part = (stop, index) => parseInt(stop.slice(1 + 2 * index, 3 + 2 * index), 16);
  return rgb([0, 1, 2].map((i) => part(stops[low], i) * (1 - at + low) + part(stops[low + 1], i) * (at - low)));
}

function draw(context, { points, width, value }, ink, from = 0) {
  context.globalCompositeOperation = value === null ? "destination-out" : "source-over";
  context.strokeStyle = value === null ? "black" : ink(value);
  context.lineWidth = width;
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  context.moveTo(...points[from]);
  for (const [x, y] of points.slice(from)) context.lineTo(x + 0.01, y); // a line of no length would draw no dot
  context.stroke();
}

function redraw() {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, canvas.width, canvas.height);
  for (const each of strokes) draw(context, each, colour);
  undo.disabled = clear.disabled = !strokes.length;
}

function begin(point) {
  stroke = { points: [point], width: 2 * radius(), value: erasing() ? null : Number(score.value) };
  strokes.push(stroke);
  draw(canvas.getContext("2d"), stroke, colour);
}

function extend(point) {
  stroke.points.push(point);
  draw(canvas.getContext("2d"), stroke, colour, stroke.points.length - 2);
}

function end() {
  if (!stroke) return;
  stroke = null;
  undo.disabled = clear.disabled = false;
  changed();
}

function changed() {
  clearTimeout(timer);
  timer = setTimeout(send, SEND_AFTER);
}

// The last state wins: what is painted while a drawing is on its way goes after it.
async function send() {
  if (sending) { again = true; return; }
  sending = true;
  const whole = document.createElement("canvas"), { key, address } = state;
  whole.width = canvas.width;
  whole.height = canvas.height;
  for (const each of strokes) draw(whole.getContext("2d"), each, grey);
  const png = await new Promise((done) => whole.toBlob(done, "image/png"));
  try {
    const answer = await fetch(address, { method: "POST", body: png });
    // What was painted on a face that is no longer the chosen one is of no interest.
    if (key === state.key && answer.ok) trigger("input");
    else if (key === state.key) say((await answer.json()).detail, true);
  } catch {
    say("The program does not answer; is it still running?", true);
  }
  sending = false;
  if (again) { again = false; send(); }
}

function place(event) {
  const box = stage.getBoundingClientRect();
  return [((event.clientX - box.left) / box.width) * canvas.width,
    ((event.clientY - box.top) / box.height) * canvas.height];
}

function showRing(point) {
  const share = 100 / canvas.width;
  ring.hidden = !point;
  if (!point) return;
  ring.style.left = point[0] * share + "%";
  ring.style.top = (100 * point[1]) / canvas.height + "%";
  ring.style.width = 2 * radius() * share + "%";
  ring.classList.toggle("eraser", erasing());
}

stage.addEventListener("pointerdown", (event) => {
  if (event.button || !event.isPrimary || !state.key) return;
  stage.setPointerCapture(event.pointerId);
  brush = place(event);
  begin(brush);
  showRing(brush);
});
stage.addEventListener("pointermove", (event) => {
  if (!event.isPrimary) return;
  brush = place(event);
  showRing(brush);
  if (stroke) for (const each of event.getCoalescedEvents?.() ?? [event]) extend(place(each));
});
for (const name of ["pointerup", "pointercancel"]) stage.addEventListener(name, end);
stage.addEventListener("pointerleave", () => { if (document.activeElement !== stage) showRing(null); });
stage.addEventListener("focus", () => {
  brush ??= [canvas.width / 2, canvas.height / 2];
  if (stage.matches(":focus-visible")) showRing(brush);
});
stage.addEventListener("blur", () => { end(); showRing(null); });

stage.addEventListener("keydown", (event) => {
  const step = (event.shiftKey ? SMALL_STEP : STEP) * canvas.width;
  const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
  const move = moves[event.key];
  if (move && !event.ctrlKey && !event.altKey) {
    const most = [canvas.width, canvas.height];
    brush = brush.map((at, axis) => Math.min(Math.max(at + move[axis], 0), most[axis]));
    if (stroke) extend(brush);
    const [across, down] = brush.map((at, axis) => Math.round((100 * at) / most[axis]));
    say(across + "% across, " + down + "% down");
  } else if (event.key === " ") {
    if (!event.repeat && state.key) { begin(brush); say(erasing() ? "Erased" : "Painted " + score.value); }
  } else if (event.key.toLowerCase() === "e") {
    const other = erasing() ? "brush" : "eraser";
    element.querySelector("[value=" + other + "]").checked = true;
    say(other === "brush" ? "Brush" : "Eraser");
  } else if (event.key === "[" || event.key === "]") {
    size.value = Number(size.value) + (event.key === "]" ? 1 : -1);
  } else if (event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey)) {
    undo.click();
  } else {
    return;
  }
  event.preventDefault();
  showRing(brush);
});
stage.addEventListener("keyup", (event) => { if (event.key === " ") end(); });

undo.addEventListener("click", () => { if (strokes.pop()) { redraw(); changed(); } });
function unpaint() { if (strokes.length) { strokes = []; redraw(); changed(); } }
clear.addEventListener("click", unpaint);
document.addEventListener("amgan-unpaint", unpaint);
const showScore = () => { find("number").textContent = Number(score.value).toFixed(2); };
score.addEventListener("input", showScore);
const showStrength = () => { layers.style.opacity = strength.value / 100; };
strength.addEventListener("input", showStrength);
showStrength();

// The new picture takes the old one's place when it is there, so that nothing flashes.
function show(image, address) {
  if (image.dataset.wanted === address) return;
  image.dataset.wanted = address;
  const next = new Image();
  next.onload = () => { if (image.dataset.wanted === address) image.src = address; };
  next.src = address;
}

function update() {
  const other = props.value ?? {};
  const fresh = other.key !== state.key;
  state = other;
  if (!state.key) return;
  if (fresh) {
    strokes = [];
    stroke = brush = null;
    canvas.width = state.width;
    canvas.height = state.height;
    stage.style.setProperty("--shape", state.width / state.height);
    // A pale rim, as what is painted may have the colour of what it lies on.
    canvas.style.filter = "blur(" + 100 * state.softness + "cqmax) drop-shadow(0 0 1px white) drop-shadow(0 0 2px white)";
    find("ramp").style.background = "linear-gradient(to right, " + state.colours.join(", ") + ")";
    redraw();
  }
  show(face, state.picture);
  show(map, state.map);
}
watch("value", update);
update();
