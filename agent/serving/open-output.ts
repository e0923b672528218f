/**
 * A version that a program made, opened to answer: its folder brought here into a place of its own, and served as what its files are. Nothing in it is
 * run by this.
 */
import { join } from "node:path";
import { decodeBundle } from "../program/bundle.ts";
import { makeModelFolder } from "./model-folder.ts";
import { unpackBundle } from "../program/bundle-folder.ts";
import { refuse, type Outcome } from "../../protocol/refusal.ts";
import { openExported } from "../../serving/exported/open-exported.ts";
import { folderFormatOf } from "../../serving/model/folder-format.ts";
import type { ServedModel, VersionName } from "../../serving/model/served-model.ts";
import { openOnnx } from "../../serving/onnx/open-onnx.ts";
import type { Environment } from "../../system/environment.ts";
import { refuseDisk } from "../../system/system-error.ts";
import { runtimeFolder } from "../../training/runtime/managed-package.ts";

/** `bytes`: of the artifact. */
export async function openOutput(
  bytes: Uint8Array,
  name: VersionName,
  environment: Environment,
): Promise<Outcome<ServedModel>> {
  const which = `${name.model}@${name.version}`;
  const bundle = decodeBundle(bytes);
  if (!bundle.ok) return refuse(bundle.refusal.code, `${which} cannot be used: ${bundle.refusal.message}`);
  const { files } = bundle.value;
  const format = folderFormatOf(files);
  if (!format.ok)
    return refuse(
      "conflict",
      `${which} is what a program left and cannot be served: ${format.refusal.message}`,
    );
  const { path: folder, remove: onDispose } = makeModelFolder();
  try {
    await unpackBundle(bundle.value, folder);
    const { value } = format;
    const opened =
      value.kind === "exported"
        ? await openExported({ folder: join(folder, value.place), name, onDispose })
        : await openOnnx({ ...value, folder, name, onDispose, runtimeFolder: runtimeFolder(environment) });
    if (!opened.ok) onDispose();
    return opened;
  } catch (error) {
    onDispose();
    return refuseDisk(error, "write", folder);
  }
}
