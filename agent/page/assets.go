package page

import (
	"embed"
	"io/fs"
	"path"
	"strings"
)

//go:embed assets
var embedded embed.FS

// file is one file of the page.
type file struct {
	kind string
	body []byte
}

// kinds are the kinds of files there are. The system's own table is not asked: on
// some machines it calls a script plain text.
var kinds = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

// assets are all files by the path they are asked for.
func assets() map[string]file {
	files := map[string]file{}
	err := fs.WalkDir(embedded, "assets", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := embedded.ReadFile(name)
		files[strings.TrimPrefix(name, "assets")] = file{kinds[path.Ext(name)], body}
		return err
	})
	if err != nil {
		panic("page: " + err.Error()) // what is embedded can be read
	}
	files["/"] = files["/index.html"]
	return files
}
