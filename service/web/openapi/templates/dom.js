// Creates and finds elements; content of the document and of responses is inserted as text, never as markup.
"use strict";

const at = (id) => document.getElementById(id);

function element(name, members = {}, ...children) {
  const created = document.createElement(name);
  for (const [member, value] of Object.entries(members)) {
    if (member in created) created[member] = value;
    else created.setAttribute(member, value);
  }
  created.append(...children.filter((child) => child !== null));
  return created;
}

function show(id, text) {
  at(id).textContent = text;
  at(id).hidden = text === "";
}
