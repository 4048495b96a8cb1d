// What the live page says to a French browser; the keys are those of words.js.
"use strict";

export const FRENCH = {
  "asking": "On demande à voir…",
  "no lease": "Cette adresse ne porte aucun bail : demandez-en un nouveau.",
  "no decoder": "Ce navigateur ne sait pas décoder l'image (WebCodecs) : prenez Chromium.",
  "masked": "Image masquée, en direct.",
  "closed": "Image fermée : le nœud dit pourquoi dans l'image.",
  "late": "Rien de nouveau depuis {0} s.",
  "over": "C'est fini : {0}",
  "unreachable": "{0} ne répond pas, ou ce navigateur ne lui fait pas confiance : ouvrez une fois sa propre adresse",
  "broke off": "la liaison avec {0} est rompue",
  "looks": "Regarde : {0}",
  "verified": "Vérifié : chaque image jusqu'ici est celle que le nœud a signée.",
  "not yet": "Pas encore vérifié : la première partie signée n'est pas entière ici.",
  "broken": "Rompu ici : {0}. Ne vous fiez pas à cette image.",
  "unknown": "Autorité inconnue : {0}. Comparez avec celle de la ville, puis retenez-la.",
  "pinned": "Autorité retenue sur ce poste : {0}.",
  "changed": "L'autorité n'est pas celle qui est retenue sur ce poste. Celle d'ici : {0}.",
  "pin": "C'est celle de la ville : la retenir",
  "add": "Ajouter le nœud dont l'adresse est copiée",
  "drop": "Ou déposez son adresse ici.",
  "remove": "Retirer ce nœud de la page",
  "full": "Quatre nœuds au plus tiennent sur une page.",
  "there already": "{0} est déjà sur cette page.",
  "no address": "Ce qui est copié n'est pas l'adresse de la page d'un nœud.",
  "no clipboard": "Ce navigateur ne montre pas ce qui est copié : déposez l'adresse ici.",
};
