package credential

import (
	"testing"
	"unicode/utf16"
)

func TestTextInUTF16IsSearched(t *testing.T) {
	text := "\ufeff# größe\r\nPORT=80\r\nDB_PASSWORD=Tr0ub4dor-and-3\r\n"
	for name, big := range map[string]bool{"little endian": false, "big endian": true} {
		for _, piece := range []int{1, 3, 4096} {
			var data []byte
			for _, u := range utf16.Encode([]rune(text)) {
				if big {
					data = append(data, byte(u>>8), byte(u))
				} else {
					data = append(data, byte(u), byte(u>>8))
				}
			}
			s := NewScanner()
			s.Begin("/app/.env", data)
			for at := 0; at < len(data); at += piece {
				s.Write(data[at:min(len(data), at+piece)])
			}
			found, _ := s.End()
			if len(found) != 1 || found[0].Name != "DB_PASSWORD" || found[0].Line != 3 {
				t.Errorf("%s in pieces of %d: %+v", name, piece, found)
			}
		}
	}
	s := NewScanner()
	binary := []byte("\xff\xfe\x01\x02DB_PASSWORD=Tr0ub4dor-and-3\x00\x00")
	s.Begin("/app/x.env", binary)
	s.Write(binary)
	if found, _ := s.End(); len(found) > 0 {
		t.Errorf("what is no such text: %+v", found)
	}
}
