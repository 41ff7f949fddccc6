// Makes and finds elements; whatever comes from a document or an answer enters as text, never as markup.
"use strict";

const at = (id) => document.getElementById(id);

function element(name, members = {}, ...children) {
  const made = document.createElement(name);
  for (const [member, value] of Object.entries(members)) {
    if (member in made) made[member] = value;
    else made.setAttribute(member, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

function show(id, text) {
  at(id).textContent = text;
  at(id).hidden = text === "";
}
