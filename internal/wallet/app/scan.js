// Scanning a QR code with the camera, in browsers that read them; elsewhere the text is pasted.
import { h } from "./dom.js";
import { act } from "./parts.js";
import { t } from "./words.js";

/** @param {(text: string) => any} found */
export function part(found) {
  const Detector = /** @type {any} */ (window).BarcodeDetector;
  const body = h("div.flow", {});
  const section = h("section.card.flow", {}, h("h2", {}, t("scan")), body);
  if (!Detector) {
    body.append(h("p", {}, t("scan.none")));
    return section;
  }
  const video = h("video.scan", { playsinline: true, muted: true, hidden: true, "aria-label": t("scan.view") });
  const photo = h("input", { type: "file", accept: "image/*", id: "scan-photo", onchange: async () => {
    const [file] = photo.files;
    if (!file || file.size > 20 << 20) return;
    const image = await createImageBitmap(file), codes = await new Detector({ formats: ["qr_code"] }).detect(image);
    said.textContent = codes.length ? "" : t("scan.nothing");
    if (codes.length) await attempt(codes[0].rawValue);
  } });
  const said = h("p", { "aria-live": "assertive" });
  /** @param {string} text */
  const attempt = async (text) => {
    try {
      await found(text);
      return true;
    } catch {
      said.textContent = t("scan.other");
      return false;
    }
  };
  const run = async () => {
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch {
      said.textContent = t("scan.denied");
      return;
    }
    video.srcObject = stream;
    video.hidden = false;
    await video.play();
    const detector = new Detector({ formats: ["qr_code"] });
    const stop = () => stream.getTracks().forEach((/** @type {MediaStreamTrack} */ k) => k.stop());
    while (video.isConnected) {
      const [code] = await detector.detect(video).catch(() => []);
      if (code && (await attempt(code.rawValue))) break;
      await new Promise((r) => setTimeout(r, 250));
    }
    stop();
    video.hidden = true;
  };
  body.append(act(".btn-2", t("scan.start"), async () => { run(); }), video, h("div.field", {}, h("label.label", { for: "scan-photo" }, t("scan.photo")), photo), said);
  return section;
}
