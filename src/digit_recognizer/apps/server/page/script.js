// Strokes and photos become pictures, pictures go to /v1/read, answers become what the page shows.
// No library, nothing from another host; text of others is only ever set as text.
"use strict";

const WIDTH = 720; // the pad's own units; its height follows from its shape
const PENS = { thick: 26, thin: 11 };
const SENT = { thick: 0.5, thin: 0.75 }; // of the pad's units: as many pixels as reading needs, and no more to wait for
const ROOM = 48; // around the ink at least, in the pad's units
const ROOM_SHARE = 1 / 3; // of the ink's longer side, around it: strokes from edge to edge are no picture of a digit
const DRAG = 30; // the pad's units that a hand moves where it means to write
const FULL = "A picture is open. To write here, press Clear first.";
const RETRY_MS = 1500;
const SAME_PLACE = 0.5; // of the area of two boxes: what those of one digit have in common, read twice, at least
const WORTH_NAMING = 0.005; // how likely the second digit is at least that is named beside an unsure one
const OWN_DOUBTS = ["unsure", "not a digit"]; // of a single digit; all other reasons are its number's
const NO_TOKEN = "Nothing is read here without a token.";
const NO_PICTURE = "Not a picture that can be read. PNG, JPEG, WebP, BMP, TIFF, GIF and HEIC files can.";

const $ = (id) => document.getElementById(id);
const pad = $("pad");
const boxes = $("boxes");

const state = {
  strokes: [], // {width, points: [x, y, ...]} in the pad's units
  stroke: null,
  pressed: null, // where on an open picture a press began, [x, y]; nothing once it was told that one cannot write there
  pages: [], // {kind, name, blob, image, page, error, busy}; the one of kind "drawing", or those of kind "file"
  open: 0, // which of the pages is shown
  chosen: 0, // which of its digits
  asked: 0, // number of the last request for the drawing; older answers are dropped
  outdated: false, // what is shown was read before the drawing changed, and reading it again fails
  corrections: [], // {box, value, strokes} of digits of the drawing, the latest first
  token: storedToken(),
  locked: false, // a token is needed and was not given
  card: {},
};

// ---------------------------------------------------------------- talking to the service

function storedToken() {
  try { return sessionStorage.getItem("token") || ""; } catch { return ""; }
}

function keepToken(token) {
  state.token = token;
  try { sessionStorage.setItem("token", token); } catch { /* kept as long as the page is open */ }
}

async function ask(path, options = {}) {
  const sent = state.token;
  const headers = { ...options.headers };
  if (sent) headers.Authorization = `Bearer ${sent}`;
  const response = await fetch(path, { ...options, headers, credentials: "omit" });
  if (response.status === 401) {
    if (sent === state.token) await askForToken(Boolean(sent));
    if (!state.locked) return ask(path, options);
    trouble("");
    throw Object.assign(new Error(NO_TOKEN), { locked: true });
  }
  const answer = await response.json().catch(() => ({}));
  const again = response.status === 503 || response.status === 429;
  if (!again) trouble("");
  if (response.ok) return answer;
  throw Object.assign(new Error(told(answer.error, response.status)), { again });
}

// An error of the service for a person, who knows the file's name and nothing of HTTP.
function told(error, status) {
  if (!error?.message) return `The service answered ${status}.`;
  const message = error.message.replace(/^picture( 1)?: /, "");
  return error.code === "unsupported_type" || message.startsWith("expected a picture (") ? NO_PICTURE : message;
}

// Once asked for and not given, a token is asked for again only where a person wants that.
let tokenAsked = null;
function askForToken(refused) {
  if (state.locked) return null;
  tokenAsked ??= new Promise((resolve) => {
    const dialog = $("ask");
    dialog.addEventListener("close", () => {
      tokenAsked = null;
      state.locked = dialog.returnValue !== "given";
      // No header holds other signs than these: a token with one is a wrong token.
      keepToken(state.locked ? "" : $("token").value.trim().replace(/[^!-~]/g, "?"));
      resolve();
    }, { once: true });
    $("refused").hidden = !refused;
    $("token").setAttribute("aria-invalid", refused);
    $("token").value = dialog.returnValue = "";
    dialog.showModal();
  });
  return tokenAsked;
}

$("cancel").addEventListener("click", () => $("ask").close());
$("enter").addEventListener("click", () => {
  state.locked = false;
  trouble("");
  learn();
  if (state.strokes.length) drawingChanged();
  else if (state.pages.length) readAll();
});

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// The page of a picture. Waits and tries again where the service is away or busy, as long as `wanted` says so; `failing`
// is called each time.
async function read(blob, wanted, failing = () => {}) {
  for (;;) {
    try {
      const answer = await ask("/v1/read?details=true", {
        method: "POST",
        headers: { "Content-Type": blob.type },
        body: blob,
      });
      return answer[0];
    } catch (error) {
      const away = error instanceof TypeError;
      if (!away && !error.again) throw error;
      if (!wanted()) return null;
      trouble(away ? "The service does not answer. Trying again…" : "The service is busy. Trying again…");
      failing();
      await wait(RETRY_MS);
      if (!wanted()) return null;
    }
  }
}

// What is in the way, near the answer; nothing where the text is empty, unless a token is needed.
function trouble(text) {
  const shown = text || (state.locked ? NO_TOKEN : "");
  if ($("trouble-text").textContent !== shown) $("trouble-text").textContent = shown;
  $("enter").hidden = !state.locked;
  $("trouble").hidden = !shown;
}

// ---------------------------------------------------------------- the pad

const height = () => Math.round((WIDTH * pad.clientHeight) / Math.max(1, pad.clientWidth));
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const isFile = () => state.pages[state.open]?.kind === "file";
const photo = () => state.pages[state.open]?.image || null; // none also of a file that the browser cannot draw
const hasPicture = (entry) => entry.kind === "drawing" || Boolean(entry.image);

function prepare(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const [wide, high] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
  if (canvas.width !== wide || canvas.height !== high) Object.assign(canvas, { width: wide, height: high });
  const context = canvas.getContext("2d");
  context.setTransform(wide / WIDTH, 0, 0, wide / WIDTH, 0, 0);
  context.clearRect(0, 0, WIDTH, WIDTH * 2);
  return context;
}

function drawStroke(context, stroke) {
  const p = stroke.points;
  context.lineWidth = stroke.width;
  context.lineCap = context.lineJoin = "round";
  context.beginPath();
  context.moveTo(p[0], p[1]);
  if (p.length === 2) context.lineTo(p[0] + 0.01, p[1]);
  for (let i = 2; i < p.length - 2; i += 2) { // through the middles of neighbours: smooth where few points came
    context.quadraticCurveTo(p[i], p[i + 1], (p[i] + p[i + 2]) / 2, (p[i + 1] + p[i + 3]) / 2);
  }
  if (p.length > 2) context.lineTo(p.at(-2), p.at(-1));
  context.stroke();
}

// Where a photo lies on the pad: as large as fits, in the middle.
function placed(image) {
  const scale = Math.min(WIDTH / image.width, height() / image.height);
  return { scale, x: (WIDTH - image.width * scale) / 2, y: (height() - image.height * scale) / 2 };
}

function paint() {
  const context = prepare(pad);
  const image = photo();
  if (image) {
    const at = placed(image);
    context.drawImage(image, at.x, at.y, image.width * at.scale, image.height * at.scale);
  } else {
    context.strokeStyle = colour("--ink");
    for (const stroke of state.strokes) drawStroke(context, stroke);
    if (state.stroke) drawStroke(context, state.stroke);
  }
  const empty = !isFile() && !state.strokes.length && !state.stroke;
  $("invitation").hidden = !empty;
  $("unshown").textContent = unshown(state.pages[state.open]);
  pad.classList.toggle("still", isFile());
  $("undo").disabled = isFile() || !state.strokes.length;
  $("clear").disabled = empty;
}

// Why a file that was dealt with does not stand on the pad; nothing where it does.
function unshown(entry) {
  if (!entry || entry.busy || hasPicture(entry)) return "";
  if (entry.error) return "This file was not read.";
  return `${digitsOf(entry.page).length ? "The numbers were read, but this" : "This"} browser cannot show the picture.`;
}

function paintBoxes() {
  const context = prepare(boxes);
  const entry = state.pages[state.open];
  if (!entry?.page || !hasPicture(entry)) return;
  const { page } = entry;
  const image = photo();
  const at = image ? placed(image) : { scale: 1, x: 0, y: 0 };
  // A photo is as light in the dark as by day: its boxes have colours of their own, with a white edge.
  const colours = image ? NOTES : { sure: colour("--accent"), unsure: colour("--unsure"), rejected: colour("--soft") };
  const frame = ([x, y, w, h], stroke, dashes, line) => {
    context.beginPath();
    context.roundRect(at.x + x * at.scale - 6, at.y + y * at.scale - 6, w * at.scale + 12, h * at.scale + 12, 8);
    if (image) {
      Object.assign(context, { strokeStyle: "#ffffffcc", lineWidth: line + 2 });
      context.setLineDash([]);
      context.stroke();
    }
    context.setLineDash(dashes);
    Object.assign(context, { strokeStyle: stroke, lineWidth: line });
    context.stroke();
  };
  for (const found of page.rejected) frame(found.box, colours.rejected, [3, 6], 1.5);
  const all = digitsOf(page);
  const quiet = all.length === 1 && all[0].accepted && !image; // a single good digit needs no box
  all.forEach((digit, index) => {
    const chosen = index === state.chosen;
    if (quiet) return;
    frame(digit.box, digit.accepted ? colours.sure : colours.unsure, digit.accepted ? [] : [8, 6], chosen ? 3.5 : 1.5);
  });
}

// The drawing, whole: dark ink on white, whatever colours the page has.
function drawingCanvas(scale = 1, [x, y, w, h] = [0, 0, WIDTH, height()]) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: Math.ceil(w * scale), height: Math.ceil(h * scale) });
  const context = canvas.getContext("2d", { willReadFrequently: true }); // drawn where it is encoded
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.setTransform(scale, 0, 0, scale, -x * scale, -y * scale);
  context.strokeStyle = "#000";
  for (const stroke of state.strokes) drawStroke(context, stroke);
  return canvas;
}

// The part of the pad that has ink, with some room around it; it may reach beyond the pad.
function inked() {
  const pen = Math.max(...state.strokes.map((stroke) => stroke.width));
  const edges = [0, 1].map((odd) => {
    const values = state.strokes.flatMap((stroke) => stroke.points.filter((_, i) => i % 2 === odd));
    return [values.reduce((a, b) => Math.min(a, b)) - pen / 2, values.reduce((a, b) => Math.max(a, b)) + pen / 2];
  });
  const room = Math.ceil(Math.max(ROOM, ROOM_SHARE * Math.max(...edges.map(([low, high]) => high - low))));
  const [[left, right], [top, bottom]] = edges.map(([low, high]) => [Math.floor(low) - room, Math.ceil(high) + room]);
  return [left, top, right - left, bottom - top];
}

// What stands in a page's boxes, from the pixels that were sent to the pad's units.
function placedOnPad(page, scale, [left, top]) {
  const moved = ([x, y, w, h]) => [x / scale + left, y / scale + top, w / scale, h / scale].map(Math.round);
  for (const found of page.rejected) found.box = moved(found.box);
  for (const line of page.lines) {
    line.box = moved(line.box);
    for (const digit of line.digits) digit.box = moved(digit.box);
  }
  return page;
}

// Not canvas.toBlob: browsers do that when they find the time, up to a second later.
function blobOf(canvas) {
  const bytes = atob(canvas.toDataURL("image/png").split(",")[1]);
  return new Blob([Uint8Array.from(bytes, (letter) => letter.charCodeAt(0))], { type: "image/png" });
}

async function drawingChanged() {
  const number = ++state.asked;
  const latest = () => number === state.asked;
  paint();
  if (!state.strokes.length) {
    Object.assign(state, { pages: [], outdated: false });
    trouble("");
    return show();
  }
  const scale = Math.max(...state.strokes.map((stroke) => (stroke.width === PENS.thin ? SENT.thin : SENT.thick)));
  const part = inked();
  const failing = () => {
    state.outdated = Boolean(state.pages[0]?.page);
    show();
  };
  let entry = { kind: "drawing", name: "drawing" };
  try {
    const page = await read(blobOf(drawingCanvas(scale, part)), latest, failing);
    if (!page) return;
    entry = { ...entry, page: corrected(placedOnPad(page, scale, part)) };
  } catch (error) {
    entry = { ...entry, error: error.message };
  }
  if (!latest()) return;
  Object.assign(state, { pages: [entry], open: 0, outdated: false });
  state.chosen = Math.max(0, (entry.page ? digitsOf(entry.page).length : 0) - 1);
  show();
}

function pointOf(event) {
  const edge = pad.getBoundingClientRect();
  const scale = WIDTH / edge.width;
  return [(event.clientX - edge.left) * scale, (event.clientY - edge.top) * scale];
}

pad.addEventListener("pointerdown", (event) => {
  if (!event.isPrimary || (event.pointerType === "mouse" && event.button !== 0)) return;
  event.preventDefault();
  pad.setPointerCapture(event.pointerId);
  if (isFile()) {
    state.pressed = pointOf(event);
    return chooseAt(state.pressed);
  }
  state.asked += 1; // an answer on its way is out of date
  const pen = document.querySelector("input[name=pen]:checked").value;
  state.stroke = { width: PENS[pen], points: pointOf(event) };
  paint();
});

pad.addEventListener("pointermove", (event) => {
  if (state.pressed && event.isPrimary) hintAt(pointOf(event));
  if (!state.stroke || !event.isPrimary) return;
  const moves = event.getCoalescedEvents?.() || [];
  for (const move of moves.length ? moves : [event]) state.stroke.points.push(...pointOf(move));
  paint();
});

for (const end of ["pointerup", "pointercancel"]) {
  pad.addEventListener(end, (event) => {
    if (event.isPrimary) state.pressed = null;
    if (!state.stroke || !event.isPrimary) return;
    if (end === "pointerup") state.strokes.push(state.stroke);
    state.stroke = null;
    drawingChanged();
  });
}

// Who draws over a picture that is open means to write.
function hintAt([x, y]) {
  const [fromX, fromY] = state.pressed;
  if (Math.hypot(x - fromX, y - fromY) < DRAG) return;
  state.pressed = null;
  if (isFile()) trouble(FULL);
}

function chooseAt([x, y]) {
  if (!photo()) return;
  const at = placed(photo());
  const inside = ([left, top, w, h]) => {
    const [px, py] = [(x - at.x) / at.scale, (y - at.y) / at.scale];
    return px >= left && py >= top && px <= left + w && py <= top + h;
  };
  const index = digitsOf(state.pages[state.open]?.page).findIndex((digit) => inside(digit.box));
  if (index >= 0) choose(index);
}

function undo() {
  if (isFile() || !state.strokes.length) return;
  state.strokes.pop();
  drawingChanged();
}

function clear() {
  Object.assign(state, { strokes: [], stroke: null, pages: [], open: 0, chosen: 0, corrections: [] });
  drawingChanged();
}

$("undo").addEventListener("click", undo);
$("clear").addEventListener("click", clear);
document.addEventListener("keydown", (event) => {
  if (event.target.matches("input:not([type=radio]), dialog *") || event.altKey) return;
  const key = event.key.toLowerCase();
  if (key === "z" && !event.shiftKey) undo();
  else if (event.ctrlKey || event.metaKey) return;
  else if (key === "delete" || key === "backspace") clear();
  else if (key === "p") document.querySelector("input[name=pen]:not(:checked)").click();
  else return;
  event.preventDefault();
});

// ---------------------------------------------------------------- photos

function open(files) {
  const pages = [...files].map((file) => ({ kind: "file", name: file.name || "pasted picture", blob: file }));
  if (!pages.length) return;
  Object.assign(state, { strokes: [], stroke: null, pages, open: 0, chosen: 0, outdated: false, corrections: [] });
  trouble("");
  readAll();
}

// Read the files that are not read yet, one after the other: the service has others to serve, too.
async function readAll() {
  const number = ++state.asked;
  const wanted = () => number === state.asked;
  const waiting = state.pages.filter((entry) => !entry.page && (!entry.error || entry.locked));
  for (const entry of waiting) Object.assign(entry, { busy: true, error: "", locked: false });
  show();
  for (const entry of waiting) {
    if (!wanted()) return;
    entry.image = await createImageBitmap(entry.blob, { imageOrientation: "from-image" }).catch(() => null);
    let found = {};
    try {
      found.page = await read(await pictureOf(entry.blob), wanted);
    } catch (error) {
      found = { error: error.message, locked: error.locked };
    }
    if (!wanted()) return;
    Object.assign(entry, found, { busy: false });
    show();
  }
}

// A file's bytes, sent as those of a picture whatever it is called: the service looks at what it is.
async function pictureOf(file) {
  const most = state.card.limits?.body_bytes ?? Infinity;
  if (file.size > most) throw new Error(`This picture is larger than ${Math.floor(most / 2 ** 20)} MB.`);
  const bytes = await file.arrayBuffer().catch(() => { throw new Error("This file cannot be opened."); }); // a folder
  if (!bytes.byteLength) throw new Error("This file is empty.");
  return new Blob([bytes], { type: file.type.startsWith("image/") ? file.type : "image/png" });
}

for (const id of ["files", "camera"]) {
  $(id).addEventListener("change", (event) => {
    open(event.target.files);
    event.target.value = "";
  });
}
document.addEventListener("paste", (event) => open(event.clipboardData?.files || []));
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dropping");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  open(event.dataTransfer?.files || []);
});

// ---------------------------------------------------------------- what it says

const digitsOf = (page) => (page ? page.lines.flatMap((line) => line.digits) : []);
// Never rounded up, neither to certainty nor over what a sure digit needs: 0.9997 is 99.9 %, 0.9899 is 98.9 %.
const percent = (share) => (share > 0.9 ? `${Math.min(99.9, Math.floor(1000 * share) / 10)} %` : `${(100 * share).toFixed(share > 0.1 ? 0 : 1)} %`);
const textOf = (page) => page.lines.map((line) => line.text).join("\n");

function element(name, properties = {}, ...children) {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
}

function show() {
  paint();
  paintBoxes();
  showHeadline();
  showChosen();
  showPictures();
}

function showHeadline() {
  const entry = state.pages[state.open];
  const number = $("number");
  const [text, verdict, mood] = judge(entry);
  const digits = entry?.page ? digitsOf(entry.page) : [];
  number.className = digits.length ? (text.includes("\n") ? "lines" : "") : entry ? "words" : "empty";
  number.replaceChildren(...(digits.length ? marked(entry.page) : [text]));
  const longest = Math.max(1, ...text.split("\n").map((line) => line.length));
  const room = Math.min(7, 21 / longest, 13 / text.split("\n").length);
  number.style.fontSize = digits.length ? `${Math.max(1.6, room)}rem` : "";
  $("verdict").textContent = verdict;
  $("verdict").className = mood;
  $("answer").classList.toggle("outdated", state.outdated);
  boxes.classList.toggle("outdated", state.outdated);
  const reads = digits.length ? `${state.outdated ? "Read" : "Reads"} ${text.replaceAll("\n", ", ")}` : text;
  const said = entry ? [reads, verdict, entry.page ? unshown(entry) : ""].filter(Boolean).join(". ") : "";
  if ($("status").textContent !== said) $("status").textContent = said;
  const nothing = state.outdated || !state.pages.some((one) => one.page && digitsOf(one.page).length);
  for (const id of ["copy", "csv", "json"]) $(id).disabled = nothing;
  $("annotated").disabled = state.outdated || !digits.length || !hasPicture(entry);
}

// What stands large, what stands below it, and how that looks.
function judge(entry) {
  if (!entry) return ["–", state.strokes.length ? "Not read yet" : "Nothing written yet", ""];
  if (entry.busy) return ["…", "Reading", ""];
  if (entry.error) return ["Not read", entry.kind === "file" ? `${entry.name}: ${entry.error}` : entry.error, "unsure"];
  const digits = digitsOf(entry.page);
  if (state.outdated) return [textOf(entry.page) || "Not a digit", "Out of date: the drawing was changed since", "unsure"];
  if (!digits.length) {
    const reason = entry.page.rejected[0]?.reason;
    return ["Not a digit", reason ? `What stands here: ${reason}` : "There is nothing that looks like a digit", ""];
  }
  const unsure = digits.filter((digit) => !digit.accepted);
  if (digits.some((digit) => digit.corrected)) return [textOf(entry.page), ...judgeCorrected(digits, unsure)];
  const sure = percent(entry.page.lines.reduce((product, line) => product * line.confidence, 1));
  if (!unsure.length) return [textOf(entry.page), digits.length > 1 ? `All digits sure, ${sure} together` : `Sure, ${sure}`, "sure"];
  const why = reasonOf(unsure);
  if (digits.length > 1) return [textOf(entry.page), `${unsure.length} of ${digits.length} digits unsure${why}`, "unsure"];
  if (unsure[0].reason === "not a digit") return [textOf(entry.page), "Probably not a digit", "unsure"];
  const other = unsure[0].second_confidence >= WORTH_NAMING ? `, or ${unsure[0].second}` : "";
  return [textOf(entry.page), `Unsure${why || `: ${percent(unsure[0].confidence)}${other}`}`, "unsure"];
}

// What stands against the unsure digits, where it is no doubt about one of them.
function reasonOf(unsure) {
  const found = unsure.find(({ reason }) => reason && !OWN_DOUBTS.includes(reason));
  return found ? `: ${found.reason}` : "";
}

// A correction has no probability, and so the numbers with one have none.
function judgeCorrected(digits, unsure) {
  const count = digits.filter((digit) => digit.corrected).length;
  if (digits.length === 1) return ["Corrected", "sure"];
  if (count === digits.length) return ["All digits corrected", "sure"];
  const rest = unsure.length ? `${unsure.length} unsure` : "the rest sure";
  return [`${count} of ${digits.length} digits corrected, ${rest}`, unsure.length ? "unsure" : "sure"];
}

// The text with its unsure digits marked.
function marked(page) {
  const nodes = [];
  page.lines.forEach((line, row) => {
    if (row) nodes.push("\n");
    const digits = [...line.digits];
    for (const letter of line.text) {
      const digit = /[0-9]/.test(letter) ? digits.shift() : null;
      nodes.push(digit && !digit.accepted ? element("span", { className: "unsure", textContent: letter }) : letter);
    }
  });
  return nodes;
}

function showChosen() {
  const digits = digitsOf(state.pages[state.open]?.page);
  state.chosen = Math.max(0, Math.min(state.chosen, digits.length - 1));
  const group = $("digits");
  const focused = group.contains(document.activeElement);
  group.replaceChildren(...(digits.length > 1 ? digits : []).map((digit, index) => {
    const button = element("button", { type: "button", textContent: digit.digit, onclick: () => choose(index) });
    button.className = digit.accepted ? "" : "unsure";
    button.setAttribute("aria-pressed", index === state.chosen);
    const certainty = digit.corrected ? "corrected" : digit.accepted ? "sure" : "unsure";
    button.setAttribute("aria-label", `Digit ${index + 1}: ${digit.digit}, ${certainty}`);
    return button;
  }));
  if (focused) group.children[state.chosen]?.focus();
  showBars(digits[state.chosen]);
  showFrame(digits[state.chosen]?.frame);
  $("wrong").disabled = state.outdated || !digits.length || !hasPicture(state.pages[state.open]);
  askRight(false);
}

function choose(index) {
  state.chosen = index;
  paintBoxes();
  showChosen();
}

function showBars(digit) {
  const body = $("bars").tBodies[0];
  if (!body.rows.length) {
    for (let value = 0; value < 10; value += 1) {
      const track = element("div", { className: "track" }, element("div", { className: "fill" }));
      const name = element("th", { scope: "row", textContent: value });
      body.append(element("tr", {}, name, element("td", {}, track), element("td")));
    }
  }
  [...body.rows].forEach((row, value) => {
    const share = digit && !digit.corrected ? digit.probabilities[value] : null;
    const best = value === digit?.digit;
    row.className = best ? "best" : "";
    row.querySelector(".fill").style.width = `${100 * share}%`;
    row.cells[2].textContent = share !== null ? percent(share) : best ? "corrected" : "–";
  });
}

function showFrame(rows) {
  const context = $("frame").getContext("2d");
  const pixels = context.createImageData(28, 28);
  (rows || []).flat().forEach((value, index) => pixels.data.set([value, value, value, 255], 4 * index));
  context.putImageData(pixels, 0, 0);
}

function showPictures() {
  const several = state.pages.length > 1;
  $("pictures").hidden = !several;
  if (!several) return;
  $("list").replaceChildren(...state.pages.map((entry, index) => {
    const text = entry.busy ? "…" : entry.error || textOf(entry.page).replaceAll("\n", " · ") || "no digits";
    const button = element("button", { type: "button", onclick: () => openPage(index) },
      element("span", { className: "name", textContent: entry.name }),
      element("span", { className: "text", textContent: text.length > 90 ? `${text.slice(0, 90)}…` : text }));
    button.setAttribute("aria-pressed", index === state.open);
    return element("li", {}, button);
  }));
}

function openPage(index) {
  if ($("trouble-text").textContent === FULL) trouble("");
  Object.assign(state, { open: index, chosen: 0 });
  show();
  $("list").children[index]?.firstChild.focus();
}

// ---------------------------------------------------------------- corrections

function askRight(shown) {
  $("right").hidden = !shown;
  $("wrong").setAttribute("aria-expanded", shown);
  $("wrong").textContent = "That is wrong";
  if (!shown || $("right").childElementCount) return;
  for (let value = 0; value < 10; value += 1) {
    const button = element("button", { type: "button", textContent: value, onclick: () => correct(value) });
    button.setAttribute("aria-label", `It is ${value}`);
    $("right").append(button);
  }
}

$("wrong").addEventListener("click", () => askRight($("right").hidden));

async function correct(value) {
  const entry = state.pages[state.open];
  const digit = digitsOf(entry.page)[state.chosen];
  const correction = { box: digit.box, value, strokes: strokesIn(digit.box) };
  try {
    const isDrawing = entry.kind === "drawing";
    const blob = blobOf(cutOut(isDrawing ? drawingCanvas() : entry.image, digit.box, isDrawing ? ROOM_SHARE : 0));
    await ask(`/v1/corrections?digit=${value}`, { method: "POST", headers: { "Content-Type": "image/png" }, body: blob });
  } catch (error) {
    return trouble(error instanceof TypeError ? "The service does not answer." : error.message);
  }
  replaceDigit(entry.page, digit, value);
  if (entry.kind === "drawing") {
    state.corrections.unshift(correction);
    if (!isFile() && state.pages[0]?.page) corrected(state.pages[0].page); // read again meanwhile
  }
  show();
  $("wrong").textContent = "Thank you, kept";
  $("wrong").focus();
  $("status").textContent = `Corrected to ${value} and kept.`;
}

// A page of the drawing with what a person said of its digits, where their place and their ink are as they were.
function corrected(page) {
  for (const digit of digitsOf(page)) {
    const strokes = strokesIn(digit.box);
    const sameInk = (others) => others.length === strokes.length && others.every((other, index) => other === strokes[index]);
    const known = strokes.length
      && state.corrections.find((one) => shared(one.box, digit.box) >= SAME_PLACE && sameInk(one.strokes));
    if (known) replaceDigit(page, digit, known.value);
  }
  return page;
}

// The strokes with a good part of their points in a box: not a neighbour that only reaches into it.
function strokesIn([x, y, w, h]) {
  const inside = (stroke) => {
    let count = 0;
    for (let i = 0; i < stroke.points.length; i += 2) {
      const [px, py] = [stroke.points[i] - x, stroke.points[i + 1] - y];
      if (px >= 0 && py >= 0 && px <= w && py <= h) count += 1;
    }
    return count > stroke.points.length / 8; // of x and y: a quarter of the points
  };
  return state.strokes.filter(inside);
}

// What two boxes have in common, as a share of what both cover, 0-1.
function shared([ax, ay, aw, ah], [bx, by, bw, bh]) {
  const wide = Math.max(0, Math.min(ax + aw, bx + bw) - Math.max(ax, bx));
  const high = Math.max(0, Math.min(ay + ah, by + bh) - Math.max(ay, by));
  return (wide * high) / (aw * ah + bw * bh - wide * high);
}

// The digit with some of what is around it, on white; room: of that at least so much around, as a share of its longer side.
function cutOut(source, [x, y, w, h], room) {
  const near = Math.round(Math.max(w, h) * 0.2) + 2;
  const margin = Math.max(near, Math.ceil(Math.max(w, h) * room));
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: w + 2 * margin, height: h + 2 * margin });
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  const [wide, high] = [w + 2 * near, h + 2 * near];
  context.drawImage(source, x - near, y - near, wide, high, margin - near, margin - near, wide, high);
  return canvas;
}

function replaceDigit(page, digit, value) {
  for (const line of page.lines) {
    const index = line.digits.indexOf(digit);
    if (index < 0) continue;
    let seen = -1;
    line.text = [...line.text].map((letter) => (/[0-9]/.test(letter) && ++seen === index ? String(value) : letter)).join("");
    Object.assign(digit, { digit: value, accepted: true, reason: null, corrected: true });
  }
}

// ---------------------------------------------------------------- taking it along

// What the network thought of a digit that a person corrected is no confidence in the correction.
const plainDigit = ({ digit, confidence, accepted, box, second, second_confidence, corrected }) => (corrected
  ? { digit, confidence: null, accepted, box, second: null, second_confidence: null, corrected }
  : { digit, confidence, accepted, box, second, second_confidence });
const plain = () => state.pages.filter((entry) => entry.page).map(({ name, page }) => ({
  file: name,
  lines: page.lines.map((line) => ({
    ...line,
    confidence: line.digits.some((digit) => digit.corrected) ? null : line.confidence,
    accepted: line.digits.every((digit) => digit.accepted),
    digits: line.digits.map(plainDigit),
  })),
  rejected: page.rejected,
}));

function save(name, type, content) {
  const link = element("a", { href: URL.createObjectURL(new Blob([content], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

// A spreadsheet would run a cell that begins like a formula.
const cell = (value) => {
  const text = String(value ?? "").replace(/^[=+\-@\t\r]/, "'$&");
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

$("copy").addEventListener("click", async () => {
  const text = state.pages.filter((entry) => entry.page).map((entry) => textOf(entry.page)).join("\n");
  try {
    await navigator.clipboard.writeText(text);
    $("copy").textContent = "Copied";
  } catch {
    $("copy").textContent = "Copying is not allowed here";
  }
  setTimeout(() => { $("copy").textContent = "Copy text"; }, 1600);
});
$("csv").addEventListener("click", () => {
  const rows = plain().flatMap((page) => page.lines.map((line, index) => [page.file, index + 1, line.text, line.confidence, line.accepted]));
  save("numbers.csv", "text/csv", [["file", "line", "text", "confidence", "accepted"], ...rows].map((row) => `${row.map(cell).join(",")}\n`).join(""));
});
$("json").addEventListener("click", () => save("numbers.json", "application/json", `${JSON.stringify(plain(), null, 2)}\n`));

// The picture that is open, as large as it came, with boxes around what was read and the digits above them. Colours that
// people who do not see red and green alike can tell apart (Okabe, Ito, 2008), as `digits read --annotate` has them.
const NOTES = { sure: "#0072b2", unsure: "#e66e00", rejected: "#969696" };
function annotatedCanvas(entry) {
  const source = entry.kind === "drawing" ? drawingCanvas() : entry.image;
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: source.width, height: source.height });
  const context = canvas.getContext("2d");
  context.drawImage(source, 0, 0);
  const pen = Math.max(1, Math.round(Math.max(canvas.width, canvas.height) / 500));
  const frame = ([x, y, w, h], colour, width) => {
    Object.assign(context, { strokeStyle: colour, lineWidth: width });
    context.strokeRect(x - pen, y - pen, w + 2 * pen, h + 2 * pen);
  };
  for (const found of entry.page.rejected) frame(found.box, NOTES.rejected, Math.max(1, pen / 2));
  for (const digit of digitsOf(entry.page)) {
    const [x, y, , h] = digit.box;
    const colour = digit.accepted ? NOTES.sure : NOTES.unsure;
    frame(digit.box, colour, pen);
    const size = Math.max(12, 0.45 * h);
    context.font = `600 ${size}px system-ui, sans-serif`;
    context.fillStyle = colour;
    context.fillText(`${digit.digit}${digit.accepted ? "" : "?"}`, x, y > size + 2 * pen ? y - 2 * pen : y + size);
  }
  return canvas;
}

$("annotated").addEventListener("click", () => {
  const entry = state.pages[state.open];
  const name = `${entry.name.replace(/\.[a-z0-9]{1,5}$/i, "")}-numbers.png`;
  annotatedCanvas(entry).toBlob((blob) => {
    if (blob) save(name, "image/png", blob);
    else trouble("This picture is too large for the browser to draw on.");
  }, "image/png");
});

// ---------------------------------------------------------------- the beginning

new ResizeObserver(() => { paint(); paintBoxes(); }).observe(pad);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { paint(); paintBoxes(); });
function learn() {
  return ask("/v1/model").then((card) => {
    state.card = card;
    $("wrong").hidden = !card.keeps_corrections;
    $("kept").hidden = !card.keeps_corrections;
  }).catch(() => {});
}

learn();
show();
