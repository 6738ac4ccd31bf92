// Package social is a sample social security fund: an old system that speaks XML
// in the manner of SOAP, and the adapter that turns it into REST for the exchange.
// Its people are invented.
package social

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"time"
)

//go:embed affiliations.xml
var affiliationsFile []byte

//go:embed openapi.json
var OpenAPI []byte

// envelope is what goes over the wire of the old system, both ways.
type envelope struct {
	XMLName xml.Name `xml:"http://schemas.xmlsoap.org/soap/envelope/ Envelope"`
	Body    struct {
		Ask   *ask         `xml:"urn:sample:social GetAffiliation"`
		Found *affiliation `xml:"urn:sample:social Affiliation"`
		Fault *fault       `xml:"http://schemas.xmlsoap.org/soap/envelope/ Fault"`
	} `xml:"http://schemas.xmlsoap.org/soap/envelope/ Body"`
}

type ask struct {
	Number string `xml:"Number"`
}

type affiliation struct {
	Number   string `xml:"Number" json:"number"`
	NameAr   string `xml:"NameAr" json:"name_ar"`
	NameFr   string `xml:"NameFr" json:"name_fr"`
	Employer string `xml:"Employer" json:"employer"`
	Since    string `xml:"Since" json:"since"`
	Days     int    `xml:"DaysDeclared" json:"days_declared"`
	Active   bool   `xml:"Active" json:"active"`
	Sample   bool   `xml:"Sample" json:"sample"`
}

type fault struct {
	Code   string `xml:"faultcode"`
	String string `xml:"faultstring"`
}

// maxMessage bounds a message of the old system.
const maxMessage = 256 << 10

// Legacy returns the old system: POST /soap.
func Legacy() (http.Handler, error) {
	var file struct {
		List []affiliation `xml:"Affiliation"`
	}
	if err := xml.Unmarshal(affiliationsFile, &file); err != nil {
		return nil, fmt.Errorf("the sample affiliations: %w", err)
	}
	byNumber := map[string]affiliation{}
	for _, a := range file.List {
		byNumber[a.Number] = a
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /soap", func(w http.ResponseWriter, r *http.Request) {
		var in, out envelope
		err := xml.NewDecoder(http.MaxBytesReader(w, r.Body, maxMessage)).Decode(&in)
		if err != nil || in.Body.Ask == nil {
			out.Body.Fault = &fault{"Client", "not understood"}
		} else if a, ok := byNumber[in.Body.Ask.Number]; ok {
			out.Body.Found = &a
		} else {
			out.Body.Fault = &fault{"Client", "unknown number"}
		}
		status := http.StatusOK
		if out.Body.Fault != nil {
			status = http.StatusInternalServerError
		}
		w.Header().Set("Content-Type", "text/xml; charset=utf-8")
		w.WriteHeader(status)
		io.WriteString(w, xml.Header)
		xml.NewEncoder(w).Encode(out)
	})
	return mux, nil
}

var numberForm = regexp.MustCompile(`^[0-9]{6,12}$`)

// Adapter returns the REST interface over the old system at an address: GET
// /v1/affiliations/{number}. It holds no data of its own.
func Adapter(legacy string) http.Handler {
	client := &http.Client{Timeout: 10 * time.Second}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/affiliations/{number}", func(w http.ResponseWriter, r *http.Request) {
		number := r.PathValue("number")
		if !numberForm.MatchString(number) {
			answer(w, http.StatusBadRequest, map[string]string{"error": "a number is 6 to 12 digits"})
			return
		}
		a, err := find(r.Context(), client, legacy, number)
		switch {
		case errors.Is(err, errUnknown):
			answer(w, http.StatusNotFound, map[string]string{"error": "no such affiliation"})
		case err != nil:
			answer(w, http.StatusBadGateway, map[string]string{"error": "the old system did not answer"})
		default:
			answer(w, http.StatusOK, a)
		}
	})
	mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(OpenAPI)
	})
	return mux
}

var errUnknown = errors.New("unknown")

func find(ctx context.Context, client *http.Client, legacy, number string) (*affiliation, error) {
	var in, out envelope
	in.Body.Ask = &ask{number}
	body, err := xml.Marshal(in)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, legacy, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "text/xml; charset=utf-8")
	req.Header.Set("SOAPAction", `"urn:sample:social#GetAffiliation"`)
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if err := xml.NewDecoder(io.LimitReader(res.Body, maxMessage)).Decode(&out); err != nil {
		return nil, err
	}
	if f := out.Body.Fault; f != nil && f.String == "unknown number" {
		return nil, errUnknown
	}
	if out.Body.Found == nil {
		return nil, errors.New("the old system answered with a fault")
	}
	return out.Body.Found, nil
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}
