// Shows what the receiver got, newest first. Everything in it came from visitors, so it is shown as text alone.
const list = document.getElementById("deliveries");
const empty = document.getElementById("empty");
let newest = "";

function line(parent, name, text) {
  const element = document.createElement(name);
  element.textContent = text;
  parent.append(element);
  return element;
}

function show(delivery) {
  const item = document.createElement("li");
  item.dataset.deliveryId = delivery.deliveryId;
  line(item, "strong", delivery.event);
  line(item, "span", delivery.signatureIsValid ? "signature valid" : "signature not valid");
  line(item, "time", new Date(delivery.receivedAt).toLocaleTimeString());
  line(item, "pre", JSON.stringify(delivery.body, null, 2));
  return item;
}

async function refresh() {
  try {
    const deliveries = await (await fetch("/demo/receiver/deliveries")).json();
    const first = deliveries.length > 0 ? deliveries[0].deliveryId : "";
    if (first !== newest) {
      newest = first;
      list.replaceChildren(...deliveries.map(show));
    }
    empty.hidden = deliveries.length > 0;
  } catch {
    // The process is gone for a moment; the next look will tell.
  }
  setTimeout(refresh, 1000);
}

refresh();
