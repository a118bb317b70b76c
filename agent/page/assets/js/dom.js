// Elements. Whatever comes from the network becomes text here, never markup: this
// module offers no way to make markup from text, and the page's policy none either.

export const by = (id) => document.getElementById(id);

const drawings = document.querySelector("svg").namespaceURI;

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

// el makes an element; a child that is text stays text.
export const el = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);

// draw makes an element of a drawing.
export const draw = (tag, attributes, ...children) => fill(document.createElementNS(drawings, tag), attributes, children);

// said shows somebody's words apart from the text around them: a text that runs
// from right to left does not turn its neighbours around.
export const said = (text, most = 200) => el("bdi", null, short(text, most));

// short cuts a text at a character. Line breaks become blanks, and marks that turn
// the direction of the text behind them are dropped.
export function short(text, most) {
  const clean = plain(String(text).slice(0, most * 2 + 2)).replace(/[\p{Cc}\u2028\u2029]+/gu, " ");
  const characters = Array.from(clean);
  return characters.length > most ? characters.slice(0, most).join("") + "…" : clean;
}

// plain drops the marks that turn the direction of text beyond somebody's own words.
export const plain = (text) => text.replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, "");

export function show(node, on) {
  node.hidden = !on;
}

// trouble shows an error below a form, or takes it away.
export function trouble(node, error) {
  node.textContent = error ? words(error) : "";
  show(node, Boolean(error));
}

// words are an error and its hint.
export const words = (error) => error.message + (error.hint ? ` – ${error.hint}` : "");

// later calls a function when nothing asked for it again for a while.
export function later(ms, run) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(run, ms);
  };
}
