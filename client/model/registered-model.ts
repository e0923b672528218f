/** A version of a registered model that is loaded here, with what the record has of it and where the data lies that it was trained on. */
import type { MeshClient } from "../../protocol/client.ts";
import type { VersionView } from "../../protocol/view.ts";
import type { OpenedModel } from "../../serving/model/open-served-model.ts";
import type { ServedModel } from "../../serving/model/served-model.ts";

export interface RegisteredModel extends OpenedModel {
  readonly record: VersionView;
  /** The version's file on this machine; null where it is not to be had. */
  readonly datasetPath: string | null;
  /** Of its arrays and objects together, as far as the runtime counts them; null where that is on record already. */
  readonly memoryBytes: number | null;
}

/** What a program made has no such record. */
export function isRegistered(model: ServedModel): model is RegisteredModel {
  return "record" in model;
}

/** Who may write of a version. Others need not find out what would be refused. */
export function mayWrite({ role, who }: MeshClient, { requester }: VersionView): boolean {
  return role === "owner" || (role === "requester" && requester === who);
}
