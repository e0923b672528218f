/**
 * Frequent short words of 24 languages in Latin script, written down from grammars' closed classes: articles, pronouns,
 * prepositions, conjunctions, common forms of "to be" and "to have". A word may stand in several lists.
 */
export const stopWords: Readonly<Record<string, readonly string[]>> = {
  en: words(
    "the of and to in is was it that for as with on his he by at from are this be which or had not have an they but were their one all her she you we there been who has its will would what when if more no out so can do how about into than them these only some did my your i a me",
  ),
  de: words(
    "der die das und ist nicht ein eine einen einem einer zu den dem des mit von für auf sich auch es an werden aus er hat dass sie nach wird bei noch wie über so zum war haben nur oder aber vor zur bis mehr durch man sein wurde sind ich wir ihr kann wenn",
  ),
  fr: words(
    "le la les de des du et est un une que qui dans en pour pas sur au aux ce cette il elle ne se plus par avec son sa ses sont ou mais nous vous je leur été être fait comme tout ont même aussi cette ces deux où quand très",
  ),
  es: words(
    "el la los las de del y que en un una es por con no se para su al lo como más pero sus le ha este esta sí porque cuando muy sin sobre también me hasta hay donde quien desde todo nos durante ni contra otros ese eso ante ellos fue son está era tan toda todos tiene cada otro otra así pues nada mucho",
  ),
  it: words(
    "il lo la i gli le di del della dei delle e che in un una è per con non si da al alla sono come più ma anche nel nella questo questa suo sua ha se dal ci ne cui era essere stato hanno dopo quando molto perché tra fra ho",
  ),
  pt: words(
    "o a os as de do da dos das e que em um uma é para com não se por mais no na nos nas ao como mas foi ele ela seu sua ou ser quando muito há já está também só pelo pela até isso entre era depois sem mesmo aos ter seus quem são",
  ),
  nl: words(
    "de het een en van in is dat op te zijn met voor niet aan er om ook als dan maar bij uit nog naar over hij zij ze wordt door heeft hebben deze dit worden kan was werd meer geen of ik je we tot wel",
  ),
  sv: words(
    "och att det i en som på är av för med till den har inte om ett han de var jag men sig från vi så kan när hon under ut efter sin där mot vara ska eller hade nu också vid över än mycket blev detta",
  ),
  da: words(
    "og at det i en som på er af for med til den har ikke om et han de var jeg men sig fra vi så kan når hun under ud efter sin der mod være skal eller havde nu også ved over end meget blev dette hvad hvor noget",
  ),
  nb: words(
    "og at det i en som på er av for med til den har ikke om et han de var jeg men seg fra vi så kan når hun under ut etter sin der mot være skal eller hadde nå også ved over enn mye ble dette hva hvor noe",
  ),
  fi: words(
    "ja on ei että se oli hän mutta ovat kun joka myös niin kuin sen mukaan tai jos ole vain ollut hänen jo nyt olla mitä sitä minä sinä me te he tämä tässä sekä kanssa jälkeen ennen voi olisi",
  ),
  pl: words(
    "i w na nie się z do to jest że o jak za co po ale od tak przez przy dla już tylko czy był była było być ten ta te może jego jej ich są ze oraz pod który która które gdy bardzo",
  ),
  cs: words(
    "a v na se je že to s z do o i jak za po ale od tak pro při už jen byl byla bylo být ten ta může jeho její jsou který která které když velmi nebo také podle který však aby jako není",
  ),
  sk: words(
    "a v na sa je že to s z do o aj ako za po ale od tak pre pri už len bol bola bolo byť ten tá môže jeho jej sú ktorý ktorá ktoré keď veľmi alebo tiež podľa však aby nie čo",
  ),
  ro: words(
    "și de la în a cu pe nu un o este din că se pentru mai care au fost al sau ca sunt dar prin lui ale după fi această acest între când fără foarte toate ce era până",
  ),
  hu: words(
    "a az és hogy nem is egy ez azt van volt meg de csak már mint el még kell ha vagy ki be le fel mert aki ami lehet majd pedig sem után között minden úgy nagyon itt ott",
  ),
  tr: words(
    "ve bir bu da de için ile çok daha gibi olarak en ne o var mi ama kadar sonra olan her ya ki değil ben sen biz siz onlar şey olduğu tarafından göre ise veya yok",
  ),
  id: words(
    "yang dan di ini itu dengan untuk tidak dari dalam akan pada juga saya ke karena tersebut bisa ada mereka lebih kata tahun sudah atau saat oleh menjadi orang adalah telah para kami kita seperti",
  ),
  vi: words(
    "và của là có được cho trong không một những các với này đã người để khi từ đến cũng về như ra tại theo còn nhiều đó sẽ bị vào trên nhưng",
  ),
  ca: words(
    "el la els les de del i que en un una és per amb no es al com més però seu seva ha aquest aquesta quan molt sense sobre també fins hi on qui des tot ens són està va dels als",
  ),
  hr: words(
    "i u na je se da su za od s o kao ne što ali bi koji koja koje nije iz po to biti bio bila bilo samo više ili će sam smo kako nakon kada može sve već",
  ),
  et: words(
    "ja on ei et see oli ta aga kui ka mis nii oma selle või kes siis veel ning mida olla nende pole oleks seda juba pärast enne koos minu sinu meie",
  ),
  lv: words(
    "un ir ar no par uz ka tas kā arī bet to pie viņš viņa nav kas bija vai līdz ko tiek pēc lai šo ja gan savu tika tikai būt vēl",
  ),
  lt: words(
    "ir yra į iš su kad tai bet kaip jis ji ne buvo per apie už nuo po taip dar savo jų arba tik jo jos prie gali būti ar kuris kuri kai jau",
  ),
};

function words(list: string): string[] {
  return list.split(" ");
}
