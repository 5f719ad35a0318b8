// Building and updating elements. Text is only ever set as text: names of collections and messages of servers are data.

const SVG = "http://www.w3.org/2000/svg";

/** An element with attributes and children; a string child becomes text. */
export function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

export function drawing(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

function filled(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export const byId = (id) => document.getElementById(id);

/** Touches the document only if something changed, so that a selection or a screen reader is not disturbed every second. */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

export function setClass(target, name) {
  if (target.className !== name) target.className = name;
}

export function show(target, shown) {
  if (target.hidden === shown) target.hidden = !shown;
}

/** Replaces the content unless it would look the same. */
export function setContent(target, ...children) {
  const fresh = document.createElement("div");
  fresh.append(...children.filter((child) => child !== null && child !== undefined));
  if (fresh.innerHTML !== target.innerHTML) target.replaceChildren(...fresh.childNodes);
}

/** A list of facts: pairs of a name and a text, those without a text left out; a third member is a class. */
export function facts(pairs) {
  return pairs
    .filter(([, text]) => text !== null && text !== undefined)
    .flatMap(([name, text, tone]) => [element("dt", {}, name), element("dd", { class: tone }, text)]);
}
